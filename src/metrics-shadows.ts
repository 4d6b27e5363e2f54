/** Metrics of rasters without overviews, and of those that are made for them. */
import { Gauge, type Registry } from 'prom-client';
import { gaugesIn, mirror } from './metrics-mirror.ts';

export interface ShadowSources {
  shadows(): {
    /** By state: absent, building, ready, failed. */
    readonly files: Readonly<Record<string, number>>;
    readonly heldBytes: number;
    readonly built: number;
    readonly failed: number;
    readonly shed: number;
    /** Raster layers that lack overviews. */
    readonly lacking: number;
  };
}

export function registerShadows(registry: Registry, sources: ShadowSources): void {
  const gauge = gaugesIn(registry);
  gauge(
    'plimsoll_layers_without_overviews',
    'Raster layers that lack overviews: /cog/info has the line that makes them.',
    () => sources.shadows().lacking,
  );
  gauge('plimsoll_shadow_bytes', 'Bytes of the overviews made in memory.', () => sources.shadows().heldBytes);
  new Gauge({
    name: 'plimsoll_shadows',
    help: 'Rasters for which overviews are made in memory, by state.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, n] of Object.entries(sources.shadows().files)) this.set({ state }, n);
    },
  });
  mirror(
    registry,
    'plimsoll_shadow_builds_total',
    'Overviews made in memory, failed, or given up under pressure.',
    'outcome',
    () => {
      const { built, failed, shed } = sources.shadows();
      return { built, failed, shed };
    },
  );
}

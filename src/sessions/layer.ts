/** A session layer as the catalogue lists it, and what the keeper notes beside it. */
import type { SessionLayer } from '../layers/types.ts';
import type { SessionSummary } from './geojson.ts';

export interface LayerRecord {
  readonly layer: SessionLayer;
  /** What the thread knows its index by. */
  readonly key: string;
  /** The data and its first split: what the quota counts. */
  readonly baseBytes: number;
  /** What cutting a tile takes at a time. */
  readonly splitBytes: number;
  /** What drill-downs have left; moves as tiles are cut and forgotten. */
  drilledBytes: number;
}

interface Parts {
  readonly session: string;
  readonly name: string;
  readonly summary: SessionSummary;
  readonly maxZoom: number;
  /** Counts uploads: another upload under the same name is another layer to every cache. */
  readonly version: number;
}

export function sessionLayer({ session, name, summary, maxZoom, version }: Parts): SessionLayer {
  return {
    kind: 'session',
    id: `${session}.${name}`,
    title: name,
    description: null,
    session,
    options: { minzoom: 0, maxzoom: maxZoom },
    verdict: { servable: true, reasons: [], notes: [] },
    version: `s${version}`,
    lonLatBounds: summary.bounds,
    minzoom: 0,
    maxzoom: maxZoom,
    fields: summary.fields,
    count: summary.count,
    geometry: summary.geometry,
  };
}

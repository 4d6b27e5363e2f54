import { fileURLToPath } from 'node:url';
import type { Dataset } from './dataset.ts';
import { launch, type Paths, type Peer, type Running, type Setting, stopAll, untilReady } from './peer.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly servable: boolean;
  readonly reasons: readonly { readonly detail: string }[];
}

async function layerIds(port: number, dataset: Dataset): Promise<{ vector: string; raster: string }> {
  const reply = await fetch(`http://127.0.0.1:${port}/layers`, { headers: { accept: 'application/json' } });
  const { layers } = (await reply.json()) as { layers: readonly Listed[] };
  const idOf = (kind: string): string => {
    const layer = layers.find(one => one.kind === kind);
    if (!layer?.servable)
      throw new Error(`${dataset.name}: no ${kind} layer is served (${layer?.reasons[0]?.detail ?? 'none listed'})`);
    return encodeURIComponent(layer.id);
  };
  return { vector: idOf('vector'), raster: idOf('raster') };
}

async function start({ dataset, port, dir, workers, memory }: Setting): Promise<Running> {
  const args = [
    MAIN,
    'serve',
    dataset.vector,
    dataset.raster,
    '--port',
    String(port),
    '--host',
    '127.0.0.1',
    '--memory',
    memory,
  ];
  const child = launch(process.execPath, [...args, '--workers', String(workers), '--log-level', 'warn'], { dir });
  const stop = () => stopAll([child]);
  try {
    await untilReady(port, '/readyz', dir, [child]);
    const ids = await layerIds(port, dataset);
    const paths: Paths = {
      vectorTile: ({ z, x, y }) => `/tiles/${ids.vector}/${z}/${x}/${y}.mvt`,
      rasterTile: ({ z, x, y }) => `/tiles/${ids.raster}/${z}/${x}/${y}.png?resampling=bilinear`,
      window: box =>
        `/cog/bbox/${box.join(',')}/512x512.png?url=${ids.raster}&coord_crs=EPSG:3857&dst_crs=EPSG:3857&resampling=bilinear`,
    };
    return { pids: [child.pid!], paths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const plimsoll: Peer = { name: 'Plimsoll', missing: () => [], start };

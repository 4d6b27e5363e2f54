import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dataset, type RasterLayer, rasterFiles } from './dataset.ts';
import { launch, type Paths, type Peer, type Running, type Setting, stopAll, untilReady } from './peer.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly servable: boolean;
  readonly reasons: readonly { readonly detail: string }[];
}

type Ids = Readonly<Partial<Record<'vector' | RasterLayer, string>>>;

/** Files are served under their names without the ending. */
function idsWanted(dataset: Dataset): Ids {
  const files = [['vector', dataset.vector], ...rasterFiles(dataset)] as const;
  return Object.fromEntries(files.map(([name, path]) => [name, basename(path, extname(path))]));
}

async function layerIds(port: number, dataset: Dataset): Promise<Ids> {
  const reply = await fetch(`http://127.0.0.1:${port}/layers`, { headers: { accept: 'application/json' } });
  const { layers } = (await reply.json()) as { layers: readonly Listed[] };
  const wanted = idsWanted(dataset);
  for (const id of Object.values(wanted)) {
    const layer = layers.find(one => one.id === id);
    if (!layer?.servable)
      throw new Error(`${dataset.name}: no ${id} is served (${layer?.reasons[0]?.detail ?? 'not listed'})`);
  }
  return wanted;
}

async function start(main: string, setting: Setting, sets: readonly string[]): Promise<Running> {
  const { dataset, port, dir, workers, memory, wrap = [] } = setting;
  const args = [
    main,
    'serve',
    dataset.vector,
    ...rasterFiles(dataset).map(([, path]) => path),
    '--port',
    String(port),
    '--host',
    '127.0.0.1',
    '--workers',
    String(workers),
    '--log-level',
    'warn',
    ...(memory === '' ? [] : ['--memory', memory]),
    ...sets.flatMap(set => ['--set', set]),
  ];
  const child = launch(process.execPath, args, { dir, wrap });
  const stop = () => stopAll([child]);
  try {
    await untilReady(port, '/readyz', dir, [child]);
    const ids = await layerIds(port, dataset);
    const paths: Paths = {
      vectorTile: ({ z, x, y }) => `/tiles/${ids.vector}/${z}/${x}/${y}.mvt`,
      rasterTile: ({ z, x, y }, { layer, size, format }) => {
        if (ids[layer] === undefined) return null;
        const colours = layer === 'dem' ? '&rescale=0,1000&colormap_name=viridis' : '';
        const twice = size === 512 ? '@2x' : '';
        return `/tiles/${ids[layer]}/${z}/${x}/${y}${twice}.${format}?resampling=bilinear${colours}`;
      },
      window: (box, pixels = 512) =>
        `/cog/bbox/${box.join(',')}/${pixels}x${pixels}.png?url=${ids.rgb}&coord_crs=EPSG:3857&dst_crs=EPSG:3857&resampling=bilinear`,
    };
    return { pids: [child.pid!], paths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** This server out of another build, or with settings of its own, under a name that tells. */
export function plimsollWith(name: string, main: string = MAIN, sets: readonly string[] = []): Peer {
  return { name, missing: () => [], start: setting => start(main, setting, sets) };
}

export const plimsoll: Peer = plimsollWith('Plimsoll');

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { launch, onPath, type Paths, type Peer, type Running, type Setting, stopAll, untilReady } from './peer.ts';

/** The settings titiler's own documentation recommends, with a block cache of 64 MB a worker. */
const GDAL = {
  GDAL_CACHEMAX: '64',
  GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR',
  GDAL_INGESTED_BYTES_AT_OPEN: '32768',
  GDAL_HTTP_MERGE_CONSECUTIVE_RANGES: 'YES',
  GDAL_HTTP_MULTIPLEX: 'YES',
  GDAL_HTTP_VERSION: '2',
  VSI_CACHE: 'TRUE',
  VSI_CACHE_SIZE: '5000000',
  PYTHONWARNINGS: 'ignore',
};

function python(): string | undefined {
  const venv = process.env['BENCH_VENV'];
  return venv ? join(venv, 'bin', 'python') : onPath('python3');
}

function missing(): string[] {
  const program = python();
  const check = program && spawnSync(program, ['-c', 'import titiler.application.main, uvicorn'], { stdio: 'ignore' });
  if (check && check.status === 0) return [];
  return ["titiler: pip install titiler.application 'uvicorn[standard]', then BENCH_VENV=<the venv>"];
}

async function start({ dataset, port, dir, workers, wrap = [] }: Setting): Promise<Running> {
  const program = python()!;
  const args = ['-m', 'uvicorn', 'titiler.application.main:app', '--host', '127.0.0.1', '--port', String(port)];
  const child = launch(program, [...args, '--workers', String(workers), '--log-level', 'warning', '--no-access-log'], {
    dir,
    wrap,
    env: { ...GDAL, PATH: `${dirname(program)}:${process.env['PATH'] ?? ''}` },
  });
  const stop = () => stopAll([child]);
  const queryOf = (file: string) => `url=${encodeURIComponent(file)}&resampling=bilinear&reproject=bilinear`;
  const query = queryOf(dataset.raster);
  const paths: Paths = {
    vectorTile: () => null,
    rasterTile: ({ z, x, y }, { layer, size, format }) => {
      const file = layer === 'rgb' ? dataset.raster : dataset[layer];
      if (file === undefined) return null;
      const colours = layer === 'dem' ? '&rescale=0,1000&colormap_name=viridis' : '';
      return `/cog/tiles/WebMercatorQuad/${z}/${x}/${y}.${format}?tilesize=${size}&${queryOf(file)}${colours}`;
    },
    window: (box, pixels = 512) =>
      `/cog/bbox/${box.join(',')}/${pixels}x${pixels}.png?coord_crs=epsg:3857&dst_crs=epsg:3857&${query}`,
  };
  try {
    await untilReady(port, '/healthz', dir, [child]);
    return { pids: [child.pid!], paths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const version = () => ({
  program: python(),
  args: ['-c', 'from importlib.metadata import version; print(version("titiler.application"))'],
});

export const titiler: Peer = { name: 'titiler', missing, version, start };

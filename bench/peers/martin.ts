/** martin over PostGIS, which stands outside: only martin itself is measured. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, onPath, type Paths, type Peer, type Running, type Setting, stopAll, untilReady } from './peer.ts';

const DATABASE = 'BENCH_POSTGIS';

function missing(): string[] {
  const lacks: string[] = [];
  if (onPath('martin') === undefined) lacks.push('cargo install martin --version 1.14.0 --locked (about 50 minutes)');
  if (!process.env[DATABASE]) {
    lacks.push(`${DATABASE}=postgres://… of a PostGIS with bench.fgb as table "bench", column geom, a gist index`);
  }
  return lacks.length > 0 ? [`martin: ${lacks.join('; ')}`] : [];
}

function config(port: number, workers: number): string {
  return `listen_addresses: '127.0.0.1:${port}'
worker_processes: ${workers}
cache_size_mb: 64
postgres:
  connection_string: '${process.env[DATABASE]}'
  pool_size: 10
  auto_publish: false
  tables:
    bench:
      schema: public
      table: bench
      srid: 4326
      geometry_column: geom
      geometry_type: POLYGON
      properties: {osm_id: int8, class: varchar, height: float8, levels: int4, year: int4, material: varchar}
`;
}

async function start({ port, dir, workers, wrap = [] }: Setting): Promise<Running> {
  const file = join(dir, 'martin.yaml');
  writeFileSync(file, config(port, workers));
  const child = launch(onPath('martin')!, ['--config', file], { dir, wrap });
  const stop = () => stopAll([child]);
  const paths: Paths = {
    vectorTile: ({ z, x, y }) => `/bench/${z}/${x}/${y}`,
    rasterTile: () => null,
    window: () => null,
  };
  try {
    await untilReady(port, '/health', dir, [child]);
    return { pids: [child.pid!], paths, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const martin: Peer = { name: 'martin', missing, start };

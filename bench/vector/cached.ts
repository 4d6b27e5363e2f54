/** Tiles that are in the cache already: all of the list asked for once, then over and over by as many clients as there are. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from '../lib/load.ts';
import { cpuMsOf } from '../lib/processes.ts';
import { digits } from '../lib/stats.ts';
import type { Dataset } from '../peers/dataset.ts';
import { freePort } from '../peers/measure.ts';
import { onPath } from '../peers/peer.ts';
import { plimsoll } from '../peers/plimsoll.ts';

const CLIENTS = 64;
const SECONDS = 10;
const HEADERS = { accept: 'application/vnd.mapbox-vector-tile', 'accept-encoding': 'gzip' };

interface Setup {
  readonly dataset: Dataset;
  readonly workers: number;
  readonly memory: string;
}

/** A client of C: one of JavaScript takes as much of the machine as the server does. */
async function askByWrk(wrk: string, port: number, paths: readonly string[], dir: string): Promise<string> {
  const script = join(dir, 'paths.lua');
  const list = paths.map(path => JSON.stringify(path)).join(',\n');
  const headers = Object.entries(HEADERS).map(([name, value]) => `['${name}'] = '${value}'`);
  writeFileSync(
    script,
    `local paths = {${list}}\nlocal requests, at = {}, 0\nfunction init()\n  for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path, { ${headers.join(', ')} }) end\nend\n` +
      `function request()\n  at = at % #requests + 1\n  return requests[at]\nend\n`,
  );
  const args = ['-t', '1', '-c', String(CLIENTS), '-d', `${SECONDS}s`, '--latency', '-s', script];
  const { stdout } = await promisify(execFile)(wrk, [...args, `http://127.0.0.1:${port}`]);
  return stdout;
}

export async function cachedTiles({ dataset, workers, memory }: Setup): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  const port = await freePort();
  const running = await plimsoll.start({ dataset, port, dir, workers, memory });
  try {
    const paths = dataset.vectorTiles.map(tile => running.paths.vectorTile(tile) as string);
    const common = { port, paths, headers: HEADERS };
    const fill = await load({ ...common, connections: 4, seconds: 120, count: paths.length });
    const wrk = onPath('wrk');
    const before = cpuMsOf(running.pids);
    const said = wrk
      ? await askByWrk(wrk, port, paths, dir)
      : JSON.stringify(await load({ ...common, connections: CLIENTS, seconds: SECONDS }));
    const cpuMs = cpuMsOf(running.pids) - before;
    const server = `server: ${digits(cpuMs / SECONDS / 10)} % of a core`;
    return `cached, ${paths.length} tiles of ${digits(fill.bytesMean / 1000)} kB, ${CLIENTS} clients; ${server}\n${said}`;
  } finally {
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One server, one case: start, warm, load, stop. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadResult, load } from '../lib/load.ts';
import { cpuMsOf, type Resident, watchResident } from '../lib/processes.ts';
import type { Case } from './cases.ts';
import type { Dataset } from './dataset.ts';
import type { Peer } from './peer.ts';

export interface Bounds {
  readonly connections: number;
  /** Requests a case, at most. */
  readonly requests: number;
  /** Seconds a case, at most. */
  readonly seconds: number;
  readonly workers: number;
  readonly memory: string;
}

export interface Row {
  readonly server: string;
  readonly case: string;
  readonly load: LoadResult;
  readonly cpuMsPerRequest: number;
  readonly peak: Resident;
}

/** Of the list's paths, one in ten warms the server and is not measured. */
const WARM_SHARE = 0.1;
const WARM_SECONDS = 10;

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** A row of a server that answers something else would be a row about nothing. */
async function probe(port: number, path: string, accept: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept } });
  const body = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? 'none';
  if (response.status === 204 || (response.ok && type.replace('image/jpg', 'image/jpeg').startsWith(accept))) return;
  throw new Error(`${path} answered ${response.status} ${type}: ${body.toString('utf8', 0, 300)}`);
}

interface Ask {
  readonly port: number;
  readonly pids: readonly number[];
  readonly paths: readonly string[];
  readonly warm: readonly string[] | undefined;
}

async function measured(ask: Ask, one: Case, bounds: Bounds): Promise<Omit<Row, 'server' | 'case'>> {
  const { port, paths } = ask;
  const headers = { accept: one.accept, 'accept-encoding': 'gzip' };
  const warm = ask.warm ?? (one.repeated ? paths : paths.slice(0, Math.ceil(paths.length * WARM_SHARE)));
  const from = one.repeated || ask.warm ? 0 : warm.length;
  const rest = one.repeated ? paths : paths.slice(from, from + (one.requests ?? bounds.requests));
  const common = { port, connections: bounds.connections, headers };
  await load({ ...common, paths: warm, count: one.repeated ? 50 : warm.length, seconds: WARM_SECONDS });
  const resident = watchResident(ask.pids);
  const before = cpuMsOf(ask.pids);
  const result = await load({
    ...common,
    paths: rest,
    seconds: bounds.seconds,
    ...(one.repeated ? {} : { count: rest.length }),
  });
  const cpuMs = cpuMsOf(ask.pids) - before;
  return { load: result, cpuMsPerRequest: cpuMs / Math.max(1, result.requests), peak: resident.stop() };
}

/** Null where the server has no such case. */
export async function measure(peer: Peer, dataset: Dataset, one: Case, bounds: Bounds): Promise<Row | null> {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  const port = await freePort();
  const running = await peer.start({ dataset, port, dir, workers: bounds.workers, memory: bounds.memory });
  try {
    const paths = one.paths(dataset, running.paths);
    if (paths === null) return null;
    await probe(port, paths[0]!, one.accept);
    const figures = await measured(
      { port, pids: running.pids, paths, warm: one.warm?.(dataset, running.paths) },
      one,
      bounds,
    );
    return { server: peer.name, case: one.name, ...figures };
  } finally {
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

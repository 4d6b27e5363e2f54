/**
 * A load client of one process on raw sockets: keep-alive, N connections, bounded by count and by time, loopback only.
 * node:http costs about as much CPU a request as the server under test, on the same cores, so it is not used.
 */
import net from 'node:net';
import { type Answer, responseReader } from './reader.ts';
import { quantile } from './stats.ts';

export interface LoadOptions {
  readonly port: number;
  /** Paths with query; taken in turn, from the first. */
  readonly paths: readonly string[];
  readonly connections: number;
  /** Requests in all, at most; absent: until the time is over. */
  readonly count?: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A request that takes longer counts as an error and closes its connection. */
  readonly timeoutMs?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly ok: number;
  readonly errors: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesMean: number;
  readonly bytesMax: number;
}

interface Tally {
  readonly latencies: number[];
  readonly statuses: Record<string, number>;
  errors: number;
  bytes: number;
  bytesMax: number;
}

/** Hands out the requests; null when count or time is used up. */
type Next = () => Buffer | null;

const TIMEOUT_MS = 60_000;

function requestBytes(path: string, options: LoadOptions): Buffer {
  const headers = { host: `127.0.0.1:${options.port}`, accept: '*/*', connection: 'keep-alive', ...options.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

function nextOf(options: LoadOptions): Next {
  const requests = options.paths.map(path => requestBytes(path, options));
  const until = performance.now() + options.seconds * 1000;
  const count = options.count ?? Number.POSITIVE_INFINITY;
  let sent = 0;
  return () => (sent < count && performance.now() < until ? requests[sent++ % requests.length]! : null);
}

/** Sends on one socket until the requests or the socket end; resolves to whether the socket may be followed by another. */
function runSocket(options: LoadOptions, next: Next, tally: Tally): Promise<'done' | 'lost'> {
  return new Promise(resolve => {
    const socket = net.connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    let started = 0;
    let busy = false;

    function end(why: 'done' | 'lost'): void {
      if (busy) tally.errors++;
      busy = false;
      socket.destroy();
      resolve(why);
    }

    function send(): void {
      const request = next();
      if (request === null) {
        end('done');
        return;
      }
      busy = true;
      started = performance.now();
      socket.write(request);
    }

    function answered({ status, bytes, close }: Answer): void {
      busy = false;
      tally.latencies.push(performance.now() - started);
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      tally.bytes += bytes;
      tally.bytesMax = Math.max(tally.bytesMax, bytes);
      if (close) end('lost');
      else send();
    }

    const reader = responseReader(answered);
    socket.setTimeout(options.timeoutMs ?? TIMEOUT_MS, () => end('lost'));
    socket.on('connect', send);
    socket.on('data', (chunk: Buffer) => reader.feed(chunk));
    socket.on('end', () => reader.end());
    socket.on('error', () => end('lost'));
    socket.on('close', () => end('lost'));
  });
}

async function runConnection(options: LoadOptions, next: Next, tally: Tally): Promise<void> {
  let losses = 0;
  // A server may close a kept-alive socket at any time; one that refuses all is not asked for ever.
  while ((await runSocket(options, next, tally)) === 'lost') {
    if (++losses > 1000) throw new Error(`port ${options.port} keeps closing its connections`);
  }
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const tally: Tally = { latencies: [], statuses: {}, errors: 0, bytes: 0, bytesMax: 0 };
  const next = nextOf(options);
  const start = performance.now();
  await Promise.all(Array.from({ length: options.connections }, () => runConnection(options, next, tally)));
  const seconds = (performance.now() - start) / 1000;
  const sorted = Float64Array.from(tally.latencies).sort();
  const ok = Object.entries(tally.statuses).reduce((sum, [status, n]) => (/^2/.test(status) ? sum + n : sum), 0);
  return {
    requests: sorted.length + tally.errors,
    ok,
    errors: tally.errors,
    statuses: tally.statuses,
    seconds,
    perSecond: ok / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    bytesMean: tally.bytes / Math.max(1, ok),
    bytesMax: tally.bytesMax,
  };
}

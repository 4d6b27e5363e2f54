/** A worker: one folder's files by ranges over HTTP, each answer a while later, as from a server that is not near. Counts what was asked. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { folder, latencyMs, counts } = workerData as { folder: string; latencyMs: number; counts: SharedArrayBuffer };
const [REQUESTS, BYTES] = [0, 1];
const seen = new BigInt64Array(counts);

const server = createServer((request, response) => {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const [from, to] = [Number(range?.[1]), Number(range?.[2])];
  let fd: number;
  try {
    fd = openSync(join(folder, (request.url ?? '').replaceAll('..', '')), 'r');
  } catch {
    return void response.writeHead(404).end();
  }
  const { size, mtime } = fstatSync(fd);
  const last = Math.min(to, size - 1);
  const body = Buffer.allocUnsafe(last - from + 1);
  readSync(fd, body, 0, body.length, from);
  closeSync(fd);
  Atomics.add(seen, REQUESTS, 1n);
  Atomics.add(seen, BYTES, BigInt(body.length));
  const head = {
    etag: `"${size}"`,
    'last-modified': mtime.toUTCString(),
    'content-range': `bytes ${from}-${last}/${size}`,
    'content-length': body.length,
  };
  setTimeout(() => response.writeHead(206, head).end(body), latencyMs);
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

/** A server of byte ranges on loopback, over files and buffers, that can be told to do wrong what servers do wrong. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Served {
  readonly bytes: Uint8Array;
  readonly etag: string | null;
  readonly modified: string | null;
}

/** Answers in place of the server; false: the server answers as usual. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  range: { from: number; to: number },
) => boolean;

export interface RangeServer {
  readonly url: string;
  readonly requests: { readonly path: string; readonly range: string; readonly headers: IncomingMessage['headers'] }[];
  /** Connections that are open now. */
  readonly open: () => number;
  put(path: string, file: string | Uint8Array, facts?: { etag?: string | null; modified?: string | null }): void;
  remove(path: string): void;
  /** For all paths until it is cleared. */
  fault: Fault | null;
  close(): Promise<void>;
}

export async function rangeServer(): Promise<RangeServer> {
  const files = new Map<string, Served>();
  const sockets = new Set<unknown>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const asked = { from: Number(range?.[1] ?? 0), to: Number(range?.[2] ?? Number.MAX_SAFE_INTEGER) };
    room.requests.push({ path: request.url ?? '', range: request.headers.range ?? '', headers: request.headers });
    if (room.fault?.(request, response, asked)) return;
    const file = files.get(path);
    if (!file) return void response.writeHead(404).end();
    answer(request, response, file, asked);
  });
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const room: RangeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    open: () => sockets.size,
    fault: null,
    put(path, file, { etag = `"${files.size}-${path}"`, modified = 'Wed, 21 Oct 2015 07:28:00 GMT' } = {}) {
      const bytes = typeof file === 'string' ? readFileSync(file) : file;
      files.set(path, { bytes, etag, modified });
    },
    remove: path => void files.delete(path),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return room;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, etag, modified }: Served,
  { from, to }: { from: number; to: number },
): void {
  const { 'if-match': match, 'if-unmodified-since': since } = request.headers;
  const changed = match === undefined ? since !== undefined && since !== modified : match !== etag;
  if (changed) return void response.writeHead(412).end();
  const validators = { ...(etag ? { etag } : {}), ...(modified ? { 'last-modified': modified } : {}) };
  if (from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  const last = Math.min(to, bytes.length - 1);
  response.writeHead(206, {
    ...validators,
    'content-type': 'image/tiff',
    'content-range': `bytes ${from}-${last}/${bytes.length}`,
    'content-length': last - from + 1,
  });
  response.end(bytes.subarray(from, last + 1));
}

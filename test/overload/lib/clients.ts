/**
 * Clients on raw sockets, loopback only and bounded in time: crowds that ask again as soon as they are answered, readers
 * that are slow or do not read at all, clients that leave in the middle. Each may come from an address of its own
 * (127.1.0.0/16 are all this machine), because the gate gives every address its share.
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { responseReader } from '../../../bench/lib/reader.ts';

export interface CrowdOptions {
  readonly port: number;
  readonly clients: number;
  readonly ms: number;
  /** Path of the n-th request of a client, who remembers how the one before it was answered (0: it was the first). */
  readonly path: (client: number, turn: number, lastStatus: number) => string;
  /** All from one address instead of one each. */
  readonly oneAddress?: boolean;
  /** Leaves after so many milliseconds, and comes back. */
  readonly leaveAfterMs?: () => number;
  /** Pause after a refusal; a client that hammers at once measures its own hammering. */
  readonly pauseMs?: number;
  readonly headers?: string;
  /** After the end, for answers that are still on their way. */
  readonly graceMs?: number;
  /** Pause after any other answer. */
  readonly thinkMs?: number;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
  /** Filled while it runs, for those who look on. */
  readonly tally?: Tally;
  /** What a client's line carries; without it, as fast as this machine can. */
  readonly bytesPerSecond?: (client: number) => number | undefined;
}

export interface Tally {
  readonly statuses: Record<number, number>;
  readonly latencies: Record<number, number[]>;
  /** Connections that ended before their answer, not by our own doing. */
  lost: number;
  left: number;
}

export function newTally(): Tally {
  return { statuses: {}, latencies: {}, lost: 0, left: 0 };
}

export async function crowd(options: CrowdOptions): Promise<Tally> {
  const tally = options.tally ?? newTally();
  const until = performance.now() + options.ms;
  await Promise.all(Array.from({ length: options.clients }, (_, i) => oneClient(options, i, until, tally)));
  return tally;
}

export function addressOf(client: number): string {
  return `127.1.${1 + Math.floor(client / 250)}.${1 + (client % 250)}`;
}

async function oneClient(options: CrowdOptions, client: number, until: number, tally: Tally): Promise<void> {
  for (let turn = 0; performance.now() < until && !options.signal?.aborted; ) {
    turn = await oneConnection(options, client, turn, until, tally);
    await sleep(20);
  }
}

/** Asks on one connection until it ends; answers with the next turn. */
function oneConnection(
  options: CrowdOptions,
  client: number,
  first: number,
  until: number,
  tally: Tally,
): Promise<number> {
  return new Promise(resolve => {
    const from = options.oneAddress ? '127.0.0.1' : addressOf(client);
    const socket = net.connect({ host: '127.0.0.1', port: options.port, localAddress: from, noDelay: true });
    let turn = first;
    let asked = 0;
    let waiting = false;
    let lastStatus = 0;
    let leave: NodeJS.Timeout | undefined;

    const end = (): void => {
      clearTimeout(leave);
      clearTimeout(last);
      options.signal?.removeEventListener('abort', end);
      socket.destroy();
      resolve(turn);
    };
    const ask = (): void => {
      if (performance.now() >= until || options.signal?.aborted) {
        end();
        return;
      }
      waiting = true;
      asked = performance.now();
      const path = options.path(client, turn++, lastStatus);
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\n${options.headers ?? ''}\r\n`);
      const after = options.leaveAfterMs?.();
      if (after === undefined) return;
      leave = setTimeout(() => {
        if (waiting) tally.left++;
        waiting = false;
        end();
      }, after);
    };
    // Answers that come soon after the end still count; a hang shows as lost.
    const last = setTimeout(
      () => {
        if (waiting) tally.lost++;
        waiting = false;
        end();
      },
      until - performance.now() + (options.graceMs ?? 10_000),
    );
    const reader = responseReader(({ status, close }) => {
      waiting = false;
      lastStatus = status;
      clearTimeout(leave);
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      tally.latencies[status] ??= [];
      tally.latencies[status].push(performance.now() - asked);
      if (close) end();
      else setTimeout(ask, status >= 400 ? (options.pauseMs ?? 50) : (options.thinkMs ?? 0));
    });
    options.signal?.addEventListener('abort', end, { once: true });
    socket.on('connect', ask);
    socket.on('data', (chunk: Buffer) => {
      reader.feed(chunk);
      const rate = options.bytesPerSecond?.(client);
      if (rate === undefined || !waiting) return;
      socket.pause();
      setTimeout(() => socket.resume(), (1000 * chunk.length) / rate);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (waiting) tally.lost++;
      waiting = false;
      end();
    });
  });
}

export interface SlowOptions {
  readonly port: number;
  readonly clients: number;
  readonly ms: number;
  readonly path: (client: number) => string;
  /** Bytes taken a tick of 100 ms; 0: none at all. */
  readonly bytesPerTick: number;
}

/** Readers that take little or nothing of what they asked for; answers with the bytes each got. */
export async function slowReaders({ port, clients, ms, path, bytesPerTick }: SlowOptions): Promise<number[]> {
  const got: number[] = Array.from({ length: clients }, () => 0);
  const sockets = got.map((_, i) => {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress: addressOf(i) });
    socket.on('error', () => {});
    socket.on('connect', () => socket.write(`GET ${path(i)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`));
    socket.on('readable', () => {});
    return socket;
  });
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await sleep(100);
    if (bytesPerTick === 0) continue;
    sockets.forEach((socket, i) => {
      const chunk = socket.read(Math.min(bytesPerTick, socket.readableLength)) as Buffer | null;
      got[i] = (got[i] as number) + (chunk?.length ?? 0);
    });
  }
  for (const socket of sockets) socket.destroy();
  return got;
}

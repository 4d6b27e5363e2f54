/**
 * The burst: clients that want one picture after another, each within ten seconds. Who is refused or cut off asks again
 * when the server said (Retry-After), or after a second, until the ten are over: so a server that refuses at once and one that
 * lets wait are measured by the same thing. Every single request is counted as well. Beside them a few clients look
 * at the same few tiles over and over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../lib/reader.ts';
import { quantile } from '../lib/stats.ts';
import { addressOf, Line } from './line.ts';

export interface BurstOptions {
  readonly port: number;
  readonly accept: string;
  readonly paths: readonly string[];
  readonly hotPaths: readonly string[];
  readonly clients: number;
  readonly hotClients: number;
  readonly seconds: number;
}

export interface Waits {
  /** Milliseconds; null: more than 1 % (or half) got nothing in time. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface BurstResult {
  /** Pictures wanted, and those of them that came within the deadline. */
  readonly wanted: number;
  readonly got: number;
  /** Of those that came: thinner or coarser than asked for, and marked as such. */
  readonly degraded: number;
  /** Single requests, those asked again included. */
  readonly requests: number;
  readonly ok: number;
  /** Statuses of single requests; `lost`: no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly bytesMean: number;
  readonly waits: Waits;
  readonly hot: Waits & { readonly requests: number; readonly ok: number };
}

export const DEADLINE_MS = 10_000;
const PAUSE_MS = 1_000;
const HOT_PAUSE_MS = 100;
/** Asking again changes nothing. */
const FINAL = new Set([400, 404, 405, 413, 414, 422]);

interface Tally {
  wanted: number;
  got: number;
  degraded: number;
  requests: number;
  bytes: number;
  readonly statuses: Record<string, number>;
  readonly waits: number[];
  readonly hotWaits: number[];
}

interface Field {
  readonly options: BurstOptions;
  readonly tally: Tally;
  readonly until: number;
  turn: number;
}

/** 2xx of the type asked for: a server that reports its trouble in XML behind 200 has not served. */
export function isServed(answer: Answer | null, accept: string): answer is Answer {
  if (answer === null || answer.status < 200 || answer.status > 299) return false;
  return answer.status === 204 || new RegExp(`\\r\\ncontent-type: *${accept}`, 'i').test(answer.head);
}

/** Milliseconds until it may be asked again; null: never. */
export function pauseAfter(answer: Answer | null): number | null {
  if (answer !== null && FINAL.has(answer.status)) return null;
  const told = /\r\nretry-after: *(\d+)/i.exec(answer?.head ?? '');
  return told ? 1000 * Number(told[1]) : PAUSE_MS;
}

function keyOf(answer: Answer | null, served: boolean): string {
  if (answer === null) return 'lost';
  return served || answer.status > 299 ? String(answer.status) : `${answer.status}, not what was asked for`;
}

/** Asks until it is served or the deadline is over; answers with how long that took, or infinity. */
async function wish(line: Line, path: string, { options, tally }: Field): Promise<number> {
  const start = performance.now();
  for (;;) {
    const left = start + DEADLINE_MS - performance.now();
    if (left <= 0) return Number.POSITIVE_INFINITY;
    const answer = await line.ask(path, left);
    const served = isServed(answer, options.accept);
    const key = keyOf(answer, served);
    tally.requests++;
    tally.statuses[key] = (tally.statuses[key] ?? 0) + 1;
    if (served) {
      tally.got++;
      tally.bytes += answer.bytes;
      if (/\r\nx-tile-degraded:/i.test(answer.head)) tally.degraded++;
      return performance.now() - start;
    }
    const pause = pauseAfter(answer);
    if (pause === null) return Number.POSITIVE_INFINITY;
    await sleep(Math.min(pause, Math.max(0, start + DEADLINE_MS - performance.now())));
  }
}

async function client(index: number, field: Field): Promise<void> {
  const { options, tally, until } = field;
  const line = new Line(options.port, addressOf(index));
  while (performance.now() < until) {
    const path = options.paths[field.turn++ % options.paths.length]!;
    tally.wanted++;
    tally.waits.push(await wish(line, path, field));
  }
  line.close();
}

async function hotClient(index: number, { options, tally, until }: Field): Promise<void> {
  const line = new Line(options.port, addressOf(options.clients + index));
  for (let turn = index; performance.now() < until; turn++) {
    const start = performance.now();
    const answer = await line.ask(options.hotPaths[turn % options.hotPaths.length]!, DEADLINE_MS);
    tally.hotWaits.push(isServed(answer, options.accept) ? performance.now() - start : Number.POSITIVE_INFINITY);
    await sleep(HOT_PAUSE_MS);
  }
  line.close();
}

function waitsOf(list: readonly number[]): Waits {
  const sorted = Float64Array.from(list).sort();
  const at = (share: number): number | null => {
    const ms = quantile(sorted, share);
    return Number.isFinite(ms) ? ms : null;
  };
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

export async function burst(options: BurstOptions): Promise<BurstResult> {
  const statuses: Record<string, number> = {};
  const tally: Tally = { wanted: 0, got: 0, degraded: 0, requests: 0, bytes: 0, statuses, waits: [], hotWaits: [] };
  const start = performance.now();
  const field: Field = { options, tally, until: start + options.seconds * 1000, turn: 0 };
  await Promise.all([
    ...Array.from({ length: options.clients }, (_, index) => client(index, field)),
    ...Array.from({ length: options.hotClients }, (_, index) => hotClient(index, field)),
  ]);
  const { wanted, got, degraded, requests, bytes, waits, hotWaits } = tally;
  return {
    wanted,
    got,
    degraded,
    requests,
    ok: got,
    statuses,
    seconds: (performance.now() - start) / 1000,
    bytesMean: bytes / Math.max(1, got),
    waits: waitsOf(waits),
    hot: { ...waitsOf(hotWaits), requests: hotWaits.length, ok: hotWaits.filter(Number.isFinite).length },
  };
}

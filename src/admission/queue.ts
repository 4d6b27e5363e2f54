/**
 * Those who wait: one line for each permit class in order of arrival at the server, wherever they waited before, taken from the front when calm and from the back
 * under load (the newest has the most of its deadline left; the oldest has likely been given up by its client). Doubly
 * linked lists, so that leaving from the middle costs nothing.
 */
import { CLASSES } from './shares.ts';
import type { Permit, PermitClass, PermitRequest } from './types.ts';

export interface Waiter {
  readonly request: PermitRequest;
  readonly sinceMs: number;
  /** When the request came: it may have waited elsewhere before. */
  readonly cameMs: number;
  /** When it is refused at the latest. */
  readonly untilMs: number;
  /** Order of arrival, exact where the clock is not. */
  readonly turn: number;
  resolve(permit: Permit): void;
  reject(error: unknown): void;
  /** Takes the abort listener off. */
  forget(): void;
  older: Waiter | null;
  newer: Waiter | null;
}

export function cameBefore(a: Waiter, b: Waiter): boolean {
  return a.cameMs === b.cameMs ? a.turn < b.turn : a.cameMs < b.cameMs;
}

export class WaitingLine {
  oldest: Waiter | null = null;
  newest: Waiter | null = null;
  count = 0;
  bytes = 0;

  /** Behind all that came before it. */
  push(waiter: Waiter): void {
    let before = this.newest;
    while (before !== null && cameBefore(waiter, before)) before = before.older;
    waiter.older = before;
    waiter.newer = before === null ? this.oldest : before.newer;
    if (waiter.older === null) this.oldest = waiter;
    else waiter.older.newer = waiter;
    if (waiter.newer === null) this.newest = waiter;
    else waiter.newer.older = waiter;
    this.count++;
    this.bytes += waiter.request.bytes;
  }

  remove(waiter: Waiter): void {
    if (waiter.older === null) this.oldest = waiter.newer;
    else waiter.older.newer = waiter.newer;
    if (waiter.newer === null) this.newest = waiter.older;
    else waiter.newer.older = waiter.older;
    waiter.older = null;
    waiter.newer = null;
    this.count--;
    this.bytes -= waiter.request.bytes;
  }
}

export class WaitingRoom {
  readonly lines: Readonly<Record<PermitClass, WaitingLine>> = {
    tile: new WaitingLine(),
    window: new WaitingLine(),
    bulk: new WaitingLine(),
  };
  #ofClient = new Map<string, number>();
  #busySinceMs: number | null = null;
  /** When the time of one who had no lesser answer to fall back on was up last. */
  #lateMs = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.lines.tile.count + this.lines.window.count + this.lines.bulk.count;
  }

  get bytes(): number {
    return this.lines.tile.bytes + this.lines.window.bytes + this.lines.bulk.bytes;
  }

  countOf(client: string): number {
    return this.#ofClient.get(client) ?? 0;
  }

  join(waiter: Waiter): void {
    const { class: kind, client } = waiter.request;
    if (this.count === 0) this.#busySinceMs = waiter.sinceMs;
    this.lines[kind].push(waiter);
    this.#ofClient.set(client, this.countOf(client) + 1);
  }

  leave(waiter: Waiter): void {
    const { class: kind, client } = waiter.request;
    waiter.forget();
    this.lines[kind].remove(waiter);
    const left = this.countOf(client) - 1;
    if (left === 0) this.#ofClient.delete(client);
    else this.#ofClient.set(client, left);
    if (this.count === 0) this.#busySinceMs = null;
  }

  holds(waiter: Waiter): boolean {
    return waiter.older !== null || this.lines[waiter.request.class].oldest === waiter;
  }

  /** Not empty for so long, and somebody's time was up no longer ago. */
  isLate(now: number, forMs: number): boolean {
    return this.busyMs(now) >= forMs && now - this.#lateMs < forMs;
  }

  /** How long somebody has been waiting without a pause. */
  busyMs(now: number): number {
    return this.#busySinceMs === null ? 0 : now - this.#busySinceMs;
  }

  /** Everyone whose time is up. */
  expired(now: number): Waiter[] {
    const late: Waiter[] = [];
    for (const kind of CLASSES) {
      for (let each = this.lines[kind].oldest; each !== null; each = each.newer)
        if (each.untilMs <= now) late.push(each);
    }
    if (late.some(({ request }) => request.patienceMs === undefined)) this.#lateMs = now;
    return late;
  }

  oldest(): Waiter | null {
    let oldest: Waiter | null = null;
    for (const kind of CLASSES) {
      const head = this.lines[kind].oldest;
      if (head !== null && (oldest === null || cameBefore(head, oldest))) oldest = head;
    }
    return oldest;
  }
}

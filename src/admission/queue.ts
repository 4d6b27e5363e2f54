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

  /**
   * The first in the order of the moment. Where a client is over its share all that it has waiting is passed over, or its small
   * requests would overtake its large one for ever. Newest first is no order to rely on: there those go first whose client holds nothing.
   */
  candidate(
    newestFirst: boolean,
    overShare: (waiter: Waiter) => boolean,
    holdsNothing: (client: string) => boolean,
  ): Waiter | null {
    const seen = new Set<string>();
    let first: Waiter | null = null;
    for (let each = newestFirst ? this.newest : this.oldest; each; each = newestFirst ? each.older : each.newer) {
      const { client } = each.request;
      if (seen.has(client)) continue;
      seen.add(client);
      if (overShare(each)) continue;
      if (!newestFirst || holdsNothing(client)) return each;
      first ??= each;
    }
    return first;
  }
}

/** What one client waits for. */
interface Part {
  readonly count: number;
  readonly bytes: number;
}

export class WaitingRoom {
  readonly lines: Readonly<Record<PermitClass, WaitingLine>> = {
    tile: new WaitingLine(),
    window: new WaitingLine(),
    bulk: new WaitingLine(),
  };
  #parts = new Map<string, Part>();
  #busySinceMs: number | null = null;
  /** When the time of one who had no lesser answer to fall back on was up last. */
  #lateMs = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.lines.tile.count + this.lines.window.count + this.lines.bulk.count;
  }

  get bytes(): number {
    return this.lines.tile.bytes + this.lines.window.bytes + this.lines.bulk.bytes;
  }

  get counts(): Record<PermitClass, number> {
    const { tile, window, bulk } = this.lines;
    return { tile: tile.count, window: window.count, bulk: bulk.count };
  }

  countOf(client: string): number {
    return this.#parts.get(client)?.count ?? 0;
  }

  join(waiter: Waiter): void {
    if (this.count === 0) this.#busySinceMs = waiter.sinceMs;
    this.lines[waiter.request.class].push(waiter);
    this.#change(waiter, 1);
  }

  leave(waiter: Waiter): void {
    waiter.forget();
    this.lines[waiter.request.class].remove(waiter);
    this.#change(waiter, -1);
    if (this.count === 0) this.#busySinceMs = null;
  }

  #change({ request: { client, bytes } }: Waiter, by: 1 | -1): void {
    const { count, bytes: before } = this.#parts.get(client) ?? { count: 0, bytes: 0 };
    if (count + by === 0) this.#parts.delete(client);
    else this.#parts.set(client, { count: count + by, bytes: before + by * bytes });
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

  /**
   * Who makes way in a queue that is full, and whether it does so because its client takes the room of others. `usual` would
   * go if all waited for equally much. Of a client that crowds others out the oldest or the newest goes.
   */
  victim(by: keyof Part, usual: Waiter, which: 'oldest' | 'newest'): { waiter: Waiter; crowds: boolean } {
    const crowder = this.#crowder(by, usual.request.client);
    if (crowder === null) return { waiter: usual, crowds: false };
    return { waiter: usual.request.client === crowder ? usual : this.#first(crowder, which), crowds: true };
  }

  /** The client that waits for most, with several requests: more than an equal part, or than half where there is no other. */
  #crowder(by: keyof Part, among: string): string | null {
    let most = this.#parts.get(among);
    let crowder: string | null = among;
    for (const [client, part] of this.#parts) {
      if (most !== undefined && part[by] <= most[by]) continue;
      most = part;
      crowder = client;
    }
    const equal = this[by] / Math.max(2, this.#parts.size);
    return most !== undefined && most.count > 1 && most[by] > equal ? crowder : null;
  }

  #first(client: string, which: 'oldest' | 'newest'): Waiter {
    let first: Waiter | null = null;
    const [start, next] = which === 'oldest' ? (['oldest', 'newer'] as const) : (['newest', 'older'] as const);
    for (const kind of CLASSES) {
      let each = this.lines[kind][start];
      while (each !== null && each.request.client !== client) each = each[next];
      if (each !== null && (first === null || cameBefore(each, first) === (which === 'oldest'))) first = each;
    }
    return first as Waiter;
  }
}

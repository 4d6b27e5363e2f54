/**
 * Shadow overviews: coarser levels of rasters that lack them, made in the background, one file at a time, and held in memory that
 * is taken from the cache's. Under pressure they are given up, the one unused longest first, and made again when it is calm or
 * when somebody asks. They can always be made again and are always the same, so nothing that was made of them is wrong afterwards.
 */
import { Problem, problem } from './errors.ts';
import type { HeldShadow, ShadowState } from './layers/types.ts';
import { freeArray } from './memory/segments.ts';
import type { Booking, Sheddable } from './memory/types.ts';
import { costBytes } from './plan.ts';
import { type ShadowLayout, shadowLayout, shadowLevels } from './render/shadow/layout.ts';
import { planShadow, shadowCost } from './render/shadow/plan.ts';
import { PASSING, type ShadowRooms, type ShadowStats, type Shadows } from './serve-shadow-types.ts';
import type { Level, RasterSource } from './source/types.ts';

const OPERATION = 'shadow';
/** A shadow that was asked for so lately is not given up for another. */
const FRESH_MS = 60_000;
/** Of what the cache and the shadows may hold together. */
const SHARE_MAX = 0.75;
/** Of the ceiling: prices are corrected by what was learned. */
const CEILING_SHARE = 0.8;
/** Pixels a millisecond, until one was made here. */
const PACE = 30_000;
/** A tile of this many pixels must not want more than the cap. */
const TILE_PIXELS = 256 * 256;

export function createShadows(rooms: ShadowRooms): Shadows {
  return new ShadowRoom(rooms);
}

interface Entry {
  readonly id: string;
  readonly source: RasterSource;
  readonly layout: ShadowLayout;
  readonly levels: readonly Level[];
  state: ShadowState;
  body: Uint8Array<ArrayBuffer> | null;
  booking: Booking | null;
  error: unknown;
  usedAtMs: number;
  startedAtMs: number;
  readonly closing: AbortController;
  /** Those that wait. */
  waiting: (() => void)[];
}

class ShadowRoom implements Shadows {
  readonly #rooms: ShadowRooms;
  readonly #entries = new Set<Entry>();
  readonly #queue = new Set<Entry>();
  readonly #counts = { built: 0, failed: 0, shed: 0 };
  #running: Promise<void> | null = null;
  #closed = false;
  #held = 0;
  #pace = PACE;
  readonly sheddable: Sheddable = { name: 'shadow', rank: 20, shed: bytes => this.#shed(bytes) };

  constructor(rooms: ShadowRooms) {
    this.#rooms = rooms;
  }

  get heldBytes(): number {
    return this.#held;
  }

  of(id: string, source: RasterSource, cap: number | undefined): HeldShadow | null {
    const { maxBytes, ceilingBytes, warmUp } = this.#rooms;
    if (maxBytes === 0 || cap === undefined || !source.verdict.servable || source.ref.remote) return null;
    const base = source.levels[source.levels.length - 1];
    // Read whole for the smallest tile it is still within the cap.
    if (base.width * base.height <= cap * TILE_PIXELS) return null;
    const layout = shadowLayout(
      source,
      each => each.bytes <= maxBytes && costBytes(shadowCost(source, each)) <= ceilingBytes * CEILING_SHARE,
    );
    if (!layout) return null;
    const entry: Entry = {
      id,
      source,
      layout,
      levels: shadowLevels(source, layout),
      state: 'absent',
      body: null,
      booking: null,
      error: null,
      usedAtMs: Number.NEGATIVE_INFINITY,
      startedAtMs: 0,
      closing: new AbortController(),
      waiting: [],
    };
    this.#entries.add(entry);
    if (warmUp) this.#want(entry);
    return this.#face(entry);
  }

  #face(entry: Entry): HeldShadow {
    const { source, layout, levels } = entry;
    return {
      levels,
      factors: levels.map(level => Math.round(source.width / level.width)),
      bytes: layout.bytes,
      get state() {
        return entry.state;
      },
      wanted: signal => this.#wanted(entry, signal),
      copy: (offset, length) => this.#copy(entry, offset, length),
      close: () => this.#forget(entry),
    };
  }

  async #wanted(entry: Entry, signal: AbortSignal): Promise<void> {
    entry.usedAtMs = this.#now();
    if (entry.state === 'absent') this.#want(entry);
    if (entry.state === 'absent' || entry.state === 'building') await this.#waitFor(entry, signal);
    if (entry.state === 'ready') return;
    throw entry.state === 'failed' ? entry.error : this.#notYet(entry);
  }

  #waitFor(entry: Entry, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        entry.waiting = entry.waiting.filter(one => one !== end);
        resolve();
      };
      const leave = () => {
        reject(signal.reason);
        end();
      };
      const timer = setTimeout(end, this.#rooms.waitMs);
      signal.addEventListener('abort', leave, { once: true });
      entry.waiting.push(end);
      if (signal.aborted) leave();
    });
  }

  #notYet({ id, state, startedAtMs, source, layout, error }: Entry): Problem {
    // The share that is used up is that of the work in the background, not that of whoever asks.
    if (error instanceof Problem && state === 'absent' && error.code !== 'client-over-share') return error;
    const base = source.levels[layout.from];
    const spent = state === 'building' ? this.#now() - startedAtMs : 0;
    const left = (base.width * base.height) / this.#pace - spent;
    return problem('overview-building', `${id} has no overview for this; one is being made`, {
      retryAfterSeconds: Math.max(1, Math.min(30, Math.ceil(left / 1000))),
    });
  }

  #copy(entry: Entry, offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!entry.body) throw this.#notYet(entry);
    return entry.body.slice(offset, offset + length);
  }

  #want(entry: Entry): void {
    if (this.#closed || entry.closing.signal.aborted) return;
    entry.error = null;
    this.#queue.add(entry);
    this.#running ??= this.#work();
  }

  async #work(): Promise<void> {
    for (const entry of this.#queue) {
      // Whoever asks already comes first.
      await new Promise(resolve => setImmediate(resolve));
      this.#queue.delete(entry);
      if (this.#closed || entry.closing.signal.aborted || entry.state === 'ready') continue;
      await this.#build(entry);
      for (const end of [...entry.waiting]) end();
    }
    this.#running = null;
  }

  async #build(entry: Entry): Promise<void> {
    entry.state = 'building';
    entry.startedAtMs = this.#now();
    try {
      this.#makeRoom(entry);
      const body = await this.#make(entry);
      this.#adopt(entry, body);
      const base = entry.source.levels[entry.layout.from];
      this.#pace = (base.width * base.height) / Math.max(1, this.#now() - entry.startedAtMs);
      this.#counts.built++;
    } catch (error) {
      entry.error = error;
      const passing = !(error instanceof Problem) || PASSING.has(error.code);
      entry.state = passing ? 'absent' : 'failed';
      if (passing || entry.closing.signal.aborted) return;
      this.#counts.failed++;
      this.#rooms.failed(entry.id, error);
    }
  }

  /** Throws overloaded where there is none. */
  #makeRoom({ id, layout }: Entry): void {
    const { level } = this.#rooms;
    const what = `the overview that ${id} lacks`;
    if (level() !== 'normal') throw problem('overloaded', `no memory for ${what} now`);
    const most = this.#mostBytes();
    for (const other of this.#oldest()) {
      if (this.#held + layout.bytes <= most) return;
      if (this.#now() - other.usedAtMs >= FRESH_MS) this.#drop(other);
    }
    if (this.#held + layout.bytes > most)
      throw problem('overloaded', `no room for ${what}: ${layout.bytes} bytes beside ${this.#held} of ${most}`);
  }

  #mostBytes(): number {
    return Math.min(this.#rooms.maxBytes, Math.floor(this.#rooms.roomBytes() * SHARE_MAX));
  }

  async #make({ id, source, layout, closing: { signal } }: Entry): Promise<Uint8Array<ArrayBuffer>> {
    const { admission, pool } = this.#rooms;
    const cost = shadowCost(source, layout);
    const bytes = admission.price(cost, OPERATION, id);
    const permit = await admission.acquire({ bytes, class: 'bulk', client: `${OPERATION} ${id}`, signal });
    try {
      const painted = await pool.run(await planShadow(source, layout, signal), { signal });
      admission.learn(OPERATION, id, cost, painted.peakBytes);
      return painted.body as Uint8Array<ArrayBuffer>;
    } finally {
      permit.release();
    }
  }

  /** On the book of the cache, which has so much less room. */
  #adopt(entry: Entry, body: Uint8Array<ArrayBuffer>): void {
    if (this.#closed || entry.closing.signal.aborted) return freeArray(body);
    entry.body = body;
    entry.booking = this.#rooms.ledger.book('cache', body.byteLength, `shadow overview of ${entry.id}`);
    entry.state = 'ready';
    this.#held += body.byteLength;
  }

  #drop(entry: Entry): number {
    const { body, booking } = entry;
    if (!body) return 0;
    const { byteLength } = body;
    entry.body = null;
    entry.booking = null;
    entry.state = 'absent';
    this.#held -= byteLength;
    freeArray(body);
    booking?.release();
    return byteLength;
  }

  #oldest(): Entry[] {
    return [...this.#entries].filter(({ body }) => body).sort((a, b) => a.usedAtMs - b.usedAtMs);
  }

  #shed(bytes: number): number {
    let given = 0;
    for (const entry of this.#oldest()) {
      if (given >= bytes) break;
      given += this.#drop(entry);
      this.#counts.shed++;
    }
    return given;
  }

  trim(): void {
    const over = this.#held - Math.floor(this.#rooms.roomBytes() * SHARE_MAX);
    if (over > 0) this.#shed(over);
  }

  calm(): void {
    for (const entry of this.#entries) if (entry.state === 'absent' && this.#wasUsed(entry)) this.#want(entry);
  }

  #wasUsed({ usedAtMs }: Entry): boolean {
    return this.#rooms.warmUp || usedAtMs > Number.NEGATIVE_INFINITY;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry);
    this.#queue.delete(entry);
    entry.closing.abort(problem('source-changed', `${entry.id} is another file by now`));
    this.#drop(entry);
    for (const end of [...entry.waiting]) end();
  }

  #now(): number {
    return this.#rooms.now?.() ?? performance.now();
  }

  stats(): ShadowStats {
    const files = { absent: 0, building: 0, ready: 0, failed: 0 };
    for (const { state } of this.#entries) files[state]++;
    return { files, heldBytes: this.#held, maxBytes: this.#rooms.maxBytes, ...this.#counts };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of [...this.#entries]) this.#forget(entry);
    await this.#running;
  }
}

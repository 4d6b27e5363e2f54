/**
 * The segments of a cache: which are open, which one gives way next, and how many bytes all of them hold. It knows
 * nothing of keys; an entry that is lost here is told to its owner.
 */
import { type Entry, overheadMax, Segment, type ZoomClass } from './segment.ts';

export interface ShelfSettings {
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly lowShare: number;
  readonly now: () => number;
  /** An entry that made way for others. */
  readonly lost: (entry: Entry) => void;
}

/** High zooms count as unused for longer than they are. */
const AGE_WEIGHT: Readonly<Record<ZoomClass, number>> = { low: 1, middle: 2, high: 4 };
/** Share of a segment that may be carried over: a fourth at least is won each time. */
const CARRIED = 0.75;
/** Added to the age of the class that gives way first: ages stay far below it. */
const FIRST = 2 ** 40;

export class Shelf {
  readonly segments = new Set<Segment>();
  /** Out of the cache, but still read by somebody; freed by the last reader. */
  readonly lingering = new Set<Segment>();
  /** Segments, lingering ones too, and the overhead of all entries. */
  bytes = 0;
  tick = 0;
  carried = 0;
  #open: Record<ZoomClass, Segment | null> = { low: null, middle: null, high: null };
  #s: ShelfSettings;

  constructor(settings: ShelfSettings) {
    this.#s = settings;
  }

  put(segment: Segment, entry: Entry, body: Uint8Array): void {
    segment.append(entry, body);
    this.bytes += entry.overhead;
  }

  remove(entry: Entry): void {
    const { segment } = entry;
    segment.remove(entry);
    this.bytes -= entry.overhead;
    // A full segment whose last entry went holds nothing; an open one is about to be filled.
    if (segment.entries.size === 0 && this.#open[segment.zoomClass] !== segment) this.drop(segment);
  }

  /** The open segment of the entry's class with room for it, after others gave way; null where none can. */
  roomFor(entry: Entry, cap: number): Segment | null {
    const kind = entry.zoomClass;
    // Each turn gives up or opens one segment. A segment may be met twice: carried entries can leave too little room.
    for (let turns = 2 * this.segments.size + 4; turns > 0; turns--) {
      const open = this.#open[kind];
      const opening = open?.takes(entry.length) !== true;
      const over = this.bytes + entry.overhead + (opening ? this.#s.segmentBytes : 0) > cap;
      if (!opening && !over) return open;
      if (!over) this.#openSegment(kind);
      else if (!this.#giveWay(kind, opening, entry.overhead, cap)) return null;
    }
    return null;
  }

  #openSegment(kind: ZoomClass): void {
    const segment = new Segment(kind, this.#s.segmentBytes);
    this.segments.add(segment);
    this.#open[kind] = segment;
    this.bytes += segment.capacity;
  }

  /** Gives up one segment: compacted in place where its class needs a segment anyway, else freed. */
  #giveWay(kind: ZoomClass, opening: boolean, overhead: number, cap: number): boolean {
    const victim = this.victim(this.#lowGivesWay(kind), segment => segment.pins === 0);
    if (victim === null) return false;
    // After shedding the cap may be below what is held: then nothing less than freeing helps.
    if (opening && victim.zoomClass === kind && this.bytes + overhead <= cap) {
      this.#compact(victim);
      this.#open[kind] = victim;
    } else this.drop(victim);
    return true;
  }

  /** z0–z5 go last, unless they hold more than their share already: then they must not starve the rest. */
  #lowGivesWay(kind: ZoomClass): boolean {
    let low = kind === 'low' ? this.#s.segmentBytes : 0;
    for (const segment of this.segments) if (segment.zoomClass === 'low') low += segment.capacity;
    return low > this.#s.lowShare * this.#s.maxBytes;
  }

  victim(lowFirst: boolean, may: (segment: Segment) => boolean): Segment | null {
    let victim: Segment | null = null;
    let best = -1;
    for (const segment of this.segments) {
      if (!may(segment)) continue;
      const isLow = segment.zoomClass === 'low';
      const age = (this.tick - segment.lastUse + 1) * AGE_WEIGHT[segment.zoomClass];
      const score = age + (isLow === lowFirst ? FIRST : 0);
      if (score > best) {
        best = score;
        victim = segment;
      }
    }
    return victim;
  }

  /** Those worth carrying over: hit since they came and still fresh, the latest first, at most three quarters of a segment. */
  #survivors(segment: Segment): Set<Entry> {
    const now = this.#s.now();
    const hot = [...segment.entries].filter(entry => entry.hits > 0 && entry.freshUntilMs > now);
    hot.sort((a, b) => b.lastUse - a.lastUse);
    const chosen = new Set<Entry>();
    let bytes = 0;
    let overhead = 0;
    for (const entry of hot) {
      bytes += entry.length;
      overhead += entry.overhead;
      if (bytes > CARRIED * segment.capacity || overhead > CARRIED * overheadMax(segment)) break;
      chosen.add(entry);
    }
    return chosen;
  }

  #compact(segment: Segment): void {
    const survivors = this.#survivors(segment);
    for (const entry of segment.entries) if (!survivors.has(entry)) this.#lose(entry);
    segment.compact(survivors);
    this.carried += survivors.size;
  }

  #lose(entry: Entry): void {
    this.bytes -= entry.overhead;
    this.#s.lost(entry);
  }

  /** Takes a segment out, its hot entries moving to open segments where these have room. */
  drop(segment: Segment): void {
    this.segments.delete(segment);
    if (this.#open[segment.zoomClass] === segment) this.#open[segment.zoomClass] = null;
    const survivors = this.#survivors(segment);
    for (const entry of segment.entries) {
      const open = survivors.has(entry) ? this.#open[entry.zoomClass] : null;
      if (open?.takes(entry.length) !== true) {
        this.#lose(entry);
        continue;
      }
      open.append(entry, new Uint8Array(segment.buffer, entry.offset, entry.length));
      entry.hits = 0;
      this.carried++;
    }
    segment.entries.clear();
    if (segment.pins > 0) this.lingering.add(segment);
    else this.#free(segment);
  }

  /** The last reader of a segment has gone. */
  unpinned(segment: Segment): void {
    if (this.lingering.delete(segment)) this.#free(segment);
  }

  #free(segment: Segment): void {
    this.bytes -= segment.capacity;
    segment.free();
  }

  /** Gives up segments until `bytes` are free or will be when their readers go, or `floor` is reached. */
  shed(bytes: number, floor: number): void {
    const start = this.bytes;
    let promised = 0;
    const met = (): boolean => start - this.bytes + promised >= bytes || this.bytes - promised <= floor;
    for (const may of [(segment: Segment) => segment.pins === 0, () => true]) {
      while (!met()) {
        const victim = this.victim(false, may);
        if (victim === null) break;
        if (victim.pins > 0) promised += victim.capacity;
        this.drop(victim);
      }
    }
  }

  /** Sum of all bytes from scratch, for audits. */
  recount(): number {
    let bytes = 0;
    for (const segment of this.lingering) bytes += segment.capacity;
    for (const segment of this.segments) {
      bytes += segment.capacity;
      for (const entry of segment.entries) bytes += entry.overhead;
    }
    return bytes;
  }
}

/**
 * What is really in use. The files are opened once and re-read in place, about 30 µs a sample, so 25 ms is affordable.
 *
 * The gating figure is U, the memory that the kernel cannot take back without killing: anon + shmem + unreclaimable
 * kernel + sockets (v2), total_rss + total_shmem (v1). Page cache is in neither, so a flood of file reads is no
 * pressure; the cgroup's own `usage` counts it and is useless as a gate. Where no cgroup limits us, our own private
 * memory stands for U. Mapped code is file-backed and shared, but a process that loses its hot code crawls: a fixed
 * reserve of it counts.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import type { Limit } from './limit.ts';

export interface GaugeSample {
  readonly atMs: number;
  /** Resident set, as `ps` shows it. */
  readonly rss: number;
  /** rss without file-backed pages. */
  readonly privateBytes: number;
  /** U: what counts against the limit and cannot be reclaimed, the reserve for hot code included. */
  readonly used: number;
  /** What the kubelet evicts by: usage − inactive file. */
  readonly workingSet: number;
  readonly pageCache: number;
  readonly sock: number;
  readonly swap: number;
  readonly heapUsed: number;
  /** Heap pages that V8 holds, used or not. */
  readonly heapCommitted: number;
  readonly heapLimit: number;
  /** Array buffers included. */
  readonly external: number;
  readonly limit: number;
  /** used ÷ limit; 1 is where the kernel kills. */
  readonly pressure: number;
}

/** What the cgroup's files say. */
export interface GroupFigures {
  readonly unreclaimable: number;
  readonly workingSet: number;
  readonly pageCache: number;
  readonly sock: number;
  readonly swap: number;
}

export interface HeapFigures {
  readonly used: number;
  readonly committed: number;
  readonly limit: number;
  readonly external: number;
}

/** Where the figures come from; tests give their own. */
export interface GaugeReader {
  group(): GroupFigures | null;
  /** Resident and file-backed bytes of this process. */
  process(): { rss: number; file: number };
  heap(): HeapFigures;
  close(): void;
}

export interface Gauge {
  /** Reads now. */
  sample(): GaugeSample;
  /** The sample that was taken last. */
  readonly last: GaugeSample;
  /** Called after each timed sample. */
  onSample(callback: (sample: GaugeSample) => void): void;
  /** A limit that was changed while running. */
  setLimit(limit: Limit): void;
  readonly failures: number;
  close(): void;
}

export interface GaugeSettings {
  readonly limit: Limit;
  readonly intervalMs?: number;
  /** Mapped code that counts as in use. */
  readonly codeReserveBytes?: number;
  readonly reader?: GaugeReader;
  readonly now?: () => number;
  /** Starts the timer and answers with what stops it; the default one never keeps the process alive. */
  readonly every?: (ms: number, tick: () => void) => () => void;
}

export const GAUGE_INTERVAL_MS = 25;
/** Code pages touched in 4 s of mixed load were 15.5 MiB: below that a process crawls. */
export const CODE_RESERVE_BYTES = 16 * 2 ** 20;

export function createGauge(settings: GaugeSettings): Gauge {
  return new TimedGauge(settings);
}

function everyUnref(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  timer.unref();
  return () => clearInterval(timer);
}

class TimedGauge implements Gauge {
  last: GaugeSample;
  failures = 0;
  #limit: Limit;
  #codeReserve: number;
  #reader: GaugeReader;
  #now: () => number;
  #stop: () => void;
  #callbacks: ((sample: GaugeSample) => void)[] = [];

  constructor(settings: GaugeSettings) {
    this.#limit = settings.limit;
    this.#codeReserve = settings.codeReserveBytes ?? CODE_RESERVE_BYTES;
    this.#reader = settings.reader ?? createReader(settings.limit);
    this.#now = settings.now ?? (() => performance.now());
    this.last = this.sample();
    this.#stop = (settings.every ?? everyUnref)(settings.intervalMs ?? GAUGE_INTERVAL_MS, () => this.#tick());
  }

  #tick(): void {
    try {
      this.sample();
    } catch {
      // A cgroup that was moved under us: the last sample stands, and the count tells.
      this.failures++;
    }
    for (const callback of this.#callbacks) callback(this.last);
  }

  sample(): GaugeSample {
    const group = this.#reader.group();
    const { rss, file } = this.#reader.process();
    const heap = this.#reader.heap();
    const limit = this.#limit;
    const privateBytes = Math.max(0, rss - file);
    const code = Math.min(file, this.#codeReserve);
    // A group without a limit of its own may hold the whole login session: then only our own memory counts.
    const groupUsed = group !== null && limit.cgroupBytes !== null ? group.unreclaimable : 0;
    const groupPressure = limit.cgroupBytes === null ? 0 : (groupUsed + code) / limit.cgroupBytes;
    this.last = {
      atMs: this.#now(),
      rss,
      privateBytes,
      used: Math.max(groupUsed, privateBytes) + code,
      workingSet: group?.workingSet ?? rss,
      pageCache: group?.pageCache ?? 0,
      sock: group?.sock ?? 0,
      swap: group !== null && limit.cgroupBytes !== null ? group.swap : 0,
      heapUsed: heap.used,
      heapCommitted: heap.committed,
      heapLimit: heap.limit,
      external: heap.external,
      limit: limit.bytes,
      pressure: Math.max(groupPressure, (privateBytes + code) / limit.bytes),
    };
    return this.last;
  }

  onSample(callback: (sample: GaugeSample) => void): void {
    this.#callbacks.push(callback);
  }

  setLimit(limit: Limit): void {
    this.#limit = limit;
  }

  close(): void {
    this.#stop();
    this.#reader.close();
  }
}

/** `name value` lines into numbers. */
export function parseStat(text: string): Map<string, number> {
  const stat = new Map<string, number>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) stat.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return stat;
}

export function groupFigures2(stat: Map<string, number>, current: number, swap: number): GroupFigures {
  const get = (name: string): number => stat.get(name) ?? 0;
  // `kernel` (5.18 on) is stacks, page tables, per-cpu, vmalloc and slab in one; older kernels list the parts only.
  const parts = get('kernel_stack') + get('pagetables') + get('percpu') + get('slab_unreclaimable');
  const kernel = stat.has('kernel') ? Math.max(0, get('kernel') - get('slab_reclaimable')) : parts;
  return {
    unreclaimable: get('anon') + get('shmem') + kernel + get('sock'),
    workingSet: Math.max(0, current - get('inactive_file')),
    pageCache: Math.max(0, get('file') - get('shmem')),
    sock: get('sock'),
    swap,
  };
}

export function groupFigures1(stat: Map<string, number>, usage: number): GroupFigures {
  const get = (name: string): number => stat.get(`total_${name}`) ?? stat.get(name) ?? 0;
  return {
    unreclaimable: get('rss') + get('shmem'),
    workingSet: Math.max(0, usage - get('inactive_file')),
    // v1 counts tmpfs and shared memory as cache; they cannot be dropped.
    pageCache: Math.max(0, get('cache') - get('shmem')),
    sock: 0,
    swap: get('swap'),
  };
}

/** A small file of /proc or /sys, opened once and read again from its start. */
class OpenFile {
  #fd: number;
  #buffer = Buffer.allocUnsafe(8192);

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  static ifThere(path: string): OpenFile | null {
    try {
      return new OpenFile(path);
    } catch {
      return null;
    }
  }

  text(): string {
    const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, 0);
    return this.#buffer.toString('latin1', 0, length);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function createReader(limit: Limit, root = '/'): GaugeReader {
  const at = (name: string): OpenFile | null =>
    limit.dir === null ? null : OpenFile.ifThere(posix.join(root, limit.dir, name));
  const stat = at('memory.stat');
  const usage = at(limit.version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
  const swap = limit.version === 2 ? at('memory.swap.current') : null;
  const statm = OpenFile.ifThere(posix.join(root, '/proc/self/statm'));
  const pageBytes = statm === null ? 0 : pageSize(Number(statm.text().split(' ')[1]), process.memoryUsage.rss());
  return {
    group() {
      if (stat === null) return null;
      const current = usage === null ? 0 : Number(usage.text());
      const fields = parseStat(stat.text());
      if (limit.version === 1) return groupFigures1(fields, current);
      return groupFigures2(fields, current, swap === null ? 0 : Number(swap.text()));
    },
    process() {
      if (statm === null) return { rss: process.memoryUsage.rss(), file: 0 };
      const [, resident, shared] = statm.text().split(' ', 3);
      return { rss: Number(resident) * pageBytes, file: Number(shared) * pageBytes };
    },
    heap() {
      const heap = getHeapStatistics();
      return {
        used: heap.used_heap_size,
        committed: heap.total_heap_size,
        limit: heap.heap_size_limit,
        external: heap.external_memory,
      };
    },
    close() {
      for (const file of [stat, usage, swap, statm]) file?.close();
    },
  };
}

/** statm counts pages, whose size differs by machine (4, 16 or 64 KiB) and which node does not tell: libuv knows. */
function pageSize(pages: number, rssBytes: number): number {
  return 2 ** Math.max(12, Math.min(16, Math.round(Math.log2(rssBytes / Math.max(1, pages)))));
}

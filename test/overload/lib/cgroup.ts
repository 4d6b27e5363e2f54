/** A memory cgroup (v1) of the test's own: a real limit, with the kernel's word on who was killed in it. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup/memory';

export interface Cgroup {
  /** `echo $$ > this` moves a shell, and what it execs, into the group. */
  readonly procs: string;
  setLimit(bytes: number): void;
  /** Processes that the kernel killed in the group for want of memory. */
  kills(): number;
  usage(): number;
  peak(): number;
  /** Sums of memory.stat, by name. */
  stat(): Readonly<Record<string, number>>;
  pids(): number[];
  /** After its last process has gone. */
  remove(): Promise<void>;
}

/** Why no cgroup can be made here; false: it can. */
export function noCgroups(): string | false {
  if (process.platform !== 'linux') return 'memory cgroups are a Linux thing';
  if (!existsSync(join(ROOT, 'memory.limit_in_bytes'))) return `no memory cgroup (v1) is mounted at ${ROOT}`;
  try {
    createCgroup(`plimsoll-probe-${process.pid}`, 64 * 2 ** 20);
    const oom = readFileSync(join(ROOT, `plimsoll-probe-${process.pid}`, 'memory.oom_control'), 'utf8');
    rmdirSync(join(ROOT, `plimsoll-probe-${process.pid}`));
    return /^oom_kill \d+$/m.test(oom) ? false : 'this kernel does not count its OOM kills by cgroup';
  } catch (error) {
    return `memory cgroups cannot be made here: ${(error as Error).message}`;
  }
}

export function createCgroup(name: string, limitBytes: number): Cgroup {
  const dir = join(ROOT, name);
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  const write = (file: string, bytes: number) => writeFileSync(join(dir, file), String(bytes));
  mkdirSync(dir);
  const group: Cgroup = {
    procs: join(dir, 'cgroup.procs'),
    setLimit(bytes) {
      // Swap must neither hide a leak nor slow the run: memory and memory+swap have the same limit, set in the order
      // in which neither is above the other on the way.
      const swap = existsSync(join(dir, 'memory.memsw.limit_in_bytes'));
      const lower = bytes < Number(read('memory.limit_in_bytes'));
      if (swap && !lower) write('memory.memsw.limit_in_bytes', bytes);
      write('memory.limit_in_bytes', bytes);
      if (swap && lower) write('memory.memsw.limit_in_bytes', bytes);
    },
    kills: () => Number(/^oom_kill (\d+)$/m.exec(read('memory.oom_control'))?.[1]),
    usage: () => Number(read('memory.usage_in_bytes')),
    peak: () => Number(read('memory.max_usage_in_bytes')),
    stat: () =>
      Object.fromEntries(
        read('memory.stat')
          .trim()
          .split('\n')
          .map(line => [line.split(' ')[0] as string, Number(line.split(' ')[1])]),
      ),
    pids: () => read('cgroup.procs').trim().split('\n').filter(Boolean).map(Number),
    async remove() {
      // The kernel lets go of a killed process a moment after its parent has heard of its end.
      for (let left = 50; ; left--) {
        try {
          rmdirSync(dir);
          return;
        } catch (error) {
          if (left === 0) throw error;
          await sleep(100);
        }
      }
    },
  };
  try {
    group.setLimit(limitBytes);
    return group;
  } catch (error) {
    rmdirSync(dir);
    throw error;
  }
}

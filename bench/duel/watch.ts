/** U of a cgroup over time: what the kernel cannot take back without killing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SAMPLE_MS = 100;

/** [seconds since the start, bytes] */
export type Sample = readonly [number, number];

/** Anonymous and shared memory, kernel and sockets; page cache is in none of them. */
function usedBytes(dir: string): number {
  const number = (file: string): number => {
    try {
      return Number(readFileSync(join(dir, file), 'utf8'));
    } catch {
      return 0; // a kernel without that account
    }
  };
  const stat = readFileSync(join(dir, 'memory.stat'), 'utf8');
  const of = (name: string): number => Number(new RegExp(`^total_${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  return of('rss') + of('shmem') + number('memory.kmem.usage_in_bytes') + number('memory.kmem.tcp.usage_in_bytes');
}

/** Samples every 100 ms until `stop`: a shorter peak can pass unseen. */
export function watchMemory(dir: string): { stop(): Sample[] } {
  const start = performance.now();
  const samples: Sample[] = [];
  const take = () => {
    samples.push([(performance.now() - start) / 1000, usedBytes(dir)]);
  };
  take();
  const timer = setInterval(take, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      take();
      return samples;
    },
  };
}

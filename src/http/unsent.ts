/**
 * What the kernel still holds of our answers. To node a response has ended once the kernel has taken it, and that may be
 * megabytes before a slow client has it. When a container's only process exits, its network namespace goes, and those
 * bytes with it; so a drain waits until they are acknowledged.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;
const LOOK_MS = 25;

export interface UnsentOptions {
  /** For tests: the text of a table, null where there is none (not Linux). */
  readonly read?: (path: string) => string | null;
  readonly wait?: () => Promise<unknown>;
}

/** Resolves once no connection of this local port has bytes that its client has not acknowledged. */
export async function allSent(port: number, { read = readTable, wait = () => pause(LOOK_MS) }: UnsentOptions = {}) {
  while (TABLES.some(path => unsentBytes(read(path) ?? '', port) > 0)) await wait();
}

/** Sum of the tx_queue column over the sockets with this local port, such as `0: 0100007F:2328 …:… 01 0002B5C8:00000000 …`. */
export function unsentBytes(table: string, port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let bytes = 0;
  for (const line of table.split('\n')) {
    const [, address, , , queues] = line.trim().split(/\s+/);
    if (address?.endsWith(local) && queues?.includes(':')) bytes += Number.parseInt(queues.split(':')[0] as string, 16);
  }
  return bytes;
}

function readTable(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

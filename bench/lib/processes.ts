/** What a tree of processes costs, read from Linux' /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;
const POLL_MS = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // the process ended between the listing and the reading
  }
}

/** Fields after the command name, which may itself hold spaces and parentheses. (proc_pid_stat(5)) */
function statOf(pid: number): Stat | null {
  const text = textOf(`/proc/${pid}/stat`);
  if (text === null) return null;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime, stime, childUser, childSystem] = fields.slice(11, 15) as [number, number, number, number];
  return { pid, parent: fields[1]!, cpuMs: (utime + stime + childUser + childSystem) * MS_PER_TICK };
}

/** The processes themselves and all their descendants. */
export function treeOf(roots: readonly number[]): Stat[] {
  const every = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => statOf(Number(name)));
  const stats = every.filter(stat => stat !== null);
  const members = new Set(roots);
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of stats) if (members.has(parent)) members.add(pid);
  }
  return stats.filter(({ pid }) => members.has(pid));
}

/** User and system time so far, of the living and of their children that were waited for. */
export function cpuMsOf(roots: readonly number[]): number {
  return treeOf(roots).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

export interface Resident {
  /** All pages, those of mapped files too. */
  readonly rss: number;
  /** Pages that no file can give back: what U counts of a process. */
  readonly held: number;
}

function residentOf(pid: number): Resident {
  const status = textOf(`/proc/${pid}/status`) ?? '';
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { rss: bytes('VmRSS'), held: bytes('RssAnon') + bytes('RssShmem') };
}

/** Resident bytes of the tree; pages that processes share are counted once each. */
export function residentBytesOf(roots: readonly number[]): Resident {
  const each = treeOf(roots).map(({ pid }) => residentOf(pid));
  return { rss: each.reduce((sum, one) => sum + one.rss, 0), held: each.reduce((sum, one) => sum + one.held, 0) };
}

/** The highest readings until `stop`, sampled every 100 ms: a shorter peak can pass unseen. */
export function watchResident(roots: readonly number[]): { stop(): Resident } {
  let peak = residentBytesOf(roots);
  const look = () => {
    const now = residentBytesOf(roots);
    peak = { rss: Math.max(peak.rss, now.rss), held: Math.max(peak.held, now.held) };
  };
  const timer = setInterval(look, POLL_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

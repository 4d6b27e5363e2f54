/**
 * How much memory this process may use before the kernel kills it. Read from the cgroup that accounts for it: v2 or v1,
 * whichever has the memory controller (on hybrid hosts v2 is mounted too, but empty), the least of all ancestors, since
 * a pod's limit binds its containers even where the container's own file says `max`.
 *
 *   /proc/self/cgroup    which group:   0::/kubepods/pod1/c1         4:memory:/docker/abc
 *   /proc/self/mountinfo where it is:   root and mount point of the cgroup2 or v1 memory hierarchy
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { posix } from 'node:path';

export type LimitSource = 'cgroup2' | 'cgroup1' | 'flag' | 'physical';

export interface Limit {
  readonly bytes: number;
  readonly source: LimitSource;
  /** Version and directory of the group that accounts for this process; null where there is none to be seen. */
  readonly version: 1 | 2 | null;
  readonly dir: string | null;
  /** The cgroup's own limit (least over ancestors); null: it sets none. */
  readonly cgroupBytes: number | null;
  readonly physicalBytes: number;
}

export interface LimitSettings {
  /** `--memory`: caps what the cgroup says, never lifts it. */
  readonly flag?: number | undefined;
  /** Where /proc and /sys are, for recorded fixtures. */
  readonly root?: string;
}

interface Mount {
  readonly version: 1 | 2;
  readonly root: string;
  readonly point: string;
}

interface Group {
  readonly version: 1 | 2;
  readonly dir: string;
  readonly top: string;
}

export function readLimit(settings: LimitSettings = {}): Limit {
  return limitReader(settings)();
}

/** Which group it is, and how much the machine has, is looked up again after this long. */
const FIND_AGAIN_MS = 1000;

/**
 * Reads the limit again and again, a few times as fast: a limit that is lowered under load must be known before much more is
 * promised.
 */
export function limitReader(settings: LimitSettings = {}, now: () => number = () => performance.now()): () => Limit {
  const { root = '/' } = settings;
  let found: Found | null = null;
  let foundAtMs = 0;
  return () => {
    if (found === null || now() - foundAtMs >= FIND_AGAIN_MS) {
      found = { group: findGroup(root), physicalBytes: physical(root) };
      foundAtMs = now();
    }
    return limitOf(settings, found);
  };
}

interface Found {
  readonly group: Group | null;
  readonly physicalBytes: number;
}

function limitOf({ flag, root = '/' }: LimitSettings, { group, physicalBytes }: Found): Limit {
  const own = group === null ? null : leastLimit(root, group);
  // v1 writes 2^63 rounded to a page for "none"; any limit beyond the machine is none.
  const cgroupBytes = own !== null && own < physicalBytes ? own : null;
  const base = {
    version: group?.version ?? null,
    dir: group?.dir ?? null,
    cgroupBytes,
    physicalBytes,
  };
  const bound = cgroupBytes ?? physicalBytes;
  if (flag !== undefined && flag < bound) return { ...base, bytes: flag, source: 'flag' };
  if (cgroupBytes === null) return { ...base, bytes: physicalBytes, source: 'physical' };
  return { ...base, bytes: cgroupBytes, source: group!.version === 2 ? 'cgroup2' : 'cgroup1' };
}

function readText(root: string, path: string): string | null {
  try {
    return readFileSync(posix.join(root, path), 'latin1');
  } catch {
    return null;
  }
}

function physical(root: string): number {
  const match = readText(root, '/proc/meminfo')?.match(/^MemTotal:\s+(\d+) kB/m);
  return match ? Number(match[1]) * 1024 : totalmem();
}

/** The memory cgroup of this process; null where none is mounted. */
function findGroup(root: string): Group | null {
  const mounts = memoryMounts(readText(root, '/proc/self/mountinfo') ?? '');
  const paths = groupPaths(readText(root, '/proc/self/cgroup') ?? '');
  // The controller lives in one hierarchy only: where v1 lists it, v2 has no memory files.
  const version = paths.v1 !== null && mounts.some(m => m.version === 1) ? 1 : 2;
  const mount = mounts.find(m => m.version === version);
  const path = version === 1 ? paths.v1 : paths.v2;
  if (mount === undefined || path === null) return null;
  const dir = groupDir(mount, path);
  const probe = version === 2 ? 'cgroup.procs' : 'memory.usage_in_bytes';
  // A path of the host seen from inside a container is not there: then the mount point is the container's own group.
  const seen = readText(root, posix.join(dir, probe)) !== null ? dir : mount.point;
  if (readText(root, posix.join(seen, version === 2 ? 'memory.stat' : probe)) === null) return null;
  return { version, dir: seen, top: mount.point };
}

function groupPaths(text: string): { v1: string | null; v2: string | null } {
  let v1: string | null = null;
  let v2: string | null = null;
  for (const line of text.split('\n')) {
    const match = line.match(/^(\d+):([^:]*):(.*)$/);
    if (match === null) continue;
    const [, id, controllers, path] = match;
    if (controllers.split(',').includes('memory')) v1 = path;
    else if (id === '0' && controllers === '') v2 = path;
  }
  return { v1, v2 };
}

/** mountinfo: `31 23 0:28 ROOT POINT options [optional…] - fstype source superoptions`, blanks written as \040. */
function memoryMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    if (right === undefined) continue;
    const [type, , options = ''] = right.split(' ');
    const [, , , root, point] = left.split(' ').map(word => word.replace(/\\(\d{3})/g, (_, o) => octal(o)));
    if (type === 'cgroup2') mounts.push({ version: 2, root, point });
    else if (type === 'cgroup' && options.split(',').includes('memory')) mounts.push({ version: 1, root, point });
  }
  return mounts;
}

function octal(digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 8));
}

function groupDir(mount: Mount, path: string): string {
  const inside = posix.relative(mount.root, path);
  // Without a cgroup namespace the path is the host's; outside our namespace it starts with `/..`.
  return inside.startsWith('..') ? mount.point : posix.join(mount.point, inside);
}

/** v2: max and high (above high a group is throttled to a crawl, which for a server is no better). v1: the hard limit. */
const LIMIT_FILES = { 1: ['memory.limit_in_bytes'], 2: ['memory.max', 'memory.high'] } as const;

function leastLimit(root: string, { version, dir, top }: Group): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (let at = dir; ; at = posix.dirname(at)) {
    for (const file of LIMIT_FILES[version]) {
      const text = readText(root, posix.join(at, file))?.trim();
      // 'max' and a missing file (the root group has none) are no limit.
      if (text !== undefined && /^\d+$/.test(text)) least = Math.min(least, Number(text));
    }
    if (at === top || at === '/' || at === '.') break;
  }
  // v1 ancestors above the mount point are not visible, but their least is told here.
  const hierarchical = readText(root, posix.join(dir, 'memory.stat'))?.match(/^hierarchical_memory_limit (\d+)$/m);
  if (version === 1 && hierarchical) least = Math.min(least, Number(hierarchical[1]));
  return Number.isFinite(least) ? least : null;
}

/** Ids from file names: short, safe in a URL path, and the same tomorrow for the same files. */
import { basename, dirname, extname } from 'node:path';
import { shownPath } from '../io/http/allow.ts';

/** Accents go, what is no letter, digit, `_`, `.` or `-` becomes `-` (a comma would split a composite). */
export function slug(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mn}/gu, '');
  const safe = plain.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return safe.slice(0, 100) || 'layer';
}

export interface IdClash {
  readonly id: string;
  readonly path: string;
  /** The id the file name alone would have given, and the file that has it. */
  readonly wanted: string;
  readonly heldBy: string;
}

export interface AssignedIds {
  /** id → path */
  readonly ids: ReadonlyMap<string, string>;
  readonly clashes: readonly IdClash[];
}

/**
 * `paths` in the order of discovery. A path keeps the id it had (`before`, id → path), so that a newcomer never renames a
 * layer that is in use; on a fresh start the first in order has the plain name. `taken` are the ids of configured layers.
 */
export function assignIds(
  paths: readonly string[],
  before: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
): AssignedIds {
  const wanted = new Set(paths);
  const ids = new Map<string, string>();
  for (const [id, path] of before) if (wanted.has(path) && !taken.has(id)) ids.set(id, path);
  const settled = new Set(ids.values());
  const clashes: IdClash[] = [];
  for (const path of paths) {
    if (settled.has(path)) continue;
    const plain = nameOf(path);
    const heldBy = ids.get(plain) ?? (taken.has(plain) ? 'the configuration' : null);
    const id = firstFree(candidates(path, heldBy), name => !ids.has(name) && !taken.has(name));
    ids.set(id, path);
    if (heldBy !== null) clashes.push({ id, path, wanted: plain, heldBy });
  }
  return { ids, clashes };
}

/** Of a URL without its query. */
function nameOf(path: string): string {
  const plain = shownPath(path);
  return slug(basename(plain, extname(plain)));
}

function firstFree(names: Iterable<string>, free: (name: string) => boolean): string {
  for (const name of names) if (free(name)) return name;
  throw new Error('candidates never end');
}

/** The plain name; the ending where the twin is in the same folder; ever more parent folders; then numbers without end. */
function* candidates(given: string, heldBy: string | null): Generator<string> {
  const path = shownPath(given);
  const ending = extname(path);
  let name = slug(basename(path, ending));
  yield name;
  if (heldBy !== null && dirname(heldBy) === dirname(path)) yield `${name}-${slug(ending.slice(1))}`;
  for (let folder = dirname(path); basename(folder) !== ''; folder = dirname(folder)) {
    name = `${slug(basename(folder))}-${name}`;
    if (name.length > 120) break;
    yield name;
  }
  for (let n = 2; ; n++) yield `${slug(basename(path, ending))}-${n}`;
}

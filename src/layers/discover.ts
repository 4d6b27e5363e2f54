/**
 * Looks at the folders and files an operator named and says which files are there and how they look now. Opens nothing.
 * A file's `look` changes when the file or one of its sidecars (.ovr, .msk, .plo) may have changed.
 */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { isUrl } from '../io/http/allow.ts';

export interface DiscoveryOptions {
  readonly extensions: readonly string[];
  readonly followSymlinks: boolean;
  readonly maxFiles: number;
}

export interface FoundFile {
  readonly path: string;
  readonly look: string;
}

/** A path that could not be looked at; the rest is served all the same. */
export interface ScanFault {
  readonly path: string;
  readonly detail: string;
}

export interface Scan {
  /** Sorted: fewer folders first, then by name. */
  readonly files: readonly FoundFile[];
  readonly folders: readonly string[];
  readonly faults: readonly ScanFault[];
}

/** GDAL's external overviews and masks, and our overviews of FlatGeobuf, belong to the file whose name they extend. */
const SIDECARS = ['.ovr', '.msk', '.ovr.msk', '.msk.ovr', '.plo'];

interface Walk {
  readonly options: DiscoveryOptions;
  readonly files: Map<string, string>;
  readonly folders: string[];
  readonly faults: ScanFault[];
  /** Real paths of folders on the way, against links that lead back. */
  readonly visited: Set<string>;
  /** What is in the folders of files that were named. */
  readonly names: Map<string, ReadonlySet<string>>;
}

export async function scan(paths: readonly string[], options: DiscoveryOptions): Promise<Scan> {
  const walk: Walk = { options, files: new Map(), folders: [], faults: [], visited: new Set(), names: new Map() };
  for (const path of paths) await visitRoot(walk, path);
  const files = [...walk.files].map(([path, look]) => ({ path, look })).sort((a, b) => comparePaths(a.path, b.path));
  if (files.length > options.maxFiles) {
    const detail = `${files.length} files found, ${options.maxFiles} taken (discovery.maxFiles)`;
    walk.faults.push({ path: paths.join(', '), detail });
  }
  return { files: files.slice(0, options.maxFiles), folders: walk.folders, faults: walk.faults };
}

/** Files of this machine and, by their URLs, of others. */
export async function scanAll(paths: readonly string[], options: DiscoveryOptions, far?: Looker): Promise<Scan> {
  const here = await scan(far ? paths.filter(path => !isUrl(path)) : paths, options);
  if (!far || !paths.some(isUrl)) return here;
  const there = await far.look(paths.filter(isUrl));
  return {
    files: [...here.files, ...there.files],
    folders: here.folders,
    faults: [...here.faults, ...there.faults],
  };
}

interface Looker {
  look(urls: readonly string[]): Promise<Scan>;
}

export function comparePaths(a: string, b: string): number {
  const depth = a.split('/').length - b.split('/').length;
  return depth !== 0 ? depth : a < b ? -1 : a > b ? 1 : 0;
}

async function visitRoot(walk: Walk, path: string): Promise<void> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await visitFolder(walk, path);
    // Named outright, so its ending does not matter: the registry judges it.
    await visitFile(walk, path, await namesIn(walk, dirname(path)));
  } catch (error) {
    walk.faults.push({ path, detail: reason(error) });
  }
}

/** Read once a look, however many of its files are named. */
async function namesIn(walk: Walk, folder: string): Promise<ReadonlySet<string>> {
  const names = walk.names.get(folder) ?? new Set(await readdir(folder));
  walk.names.set(folder, names);
  return names;
}

async function visitFolder(walk: Walk, folder: string): Promise<void> {
  const real = await realpath(folder);
  if (walk.visited.has(real)) return;
  walk.visited.add(real);
  walk.folders.push(folder);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    // Hidden files are what editors, rsync and Kubernetes volumes (..data) leave behind.
    if (entry.name.startsWith('.')) continue;
    try {
      await visitEntry(walk, folder, entry, names);
    } catch (error) {
      // Gone between readdir and stat is no fault: the next look will know.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        walk.faults.push({ path: join(folder, entry.name), detail: reason(error) });
      }
    }
  }
}

async function visitEntry(walk: Walk, folder: string, entry: Dirent, names: ReadonlySet<string>): Promise<void> {
  const path = join(folder, entry.name);
  let isFolder = entry.isDirectory();
  if (entry.isSymbolicLink()) {
    if (!walk.options.followSymlinks) return;
    isFolder = (await stat(path)).isDirectory();
  }
  if (isFolder) return visitFolder(walk, path);
  if (isTaken(entry.name, walk.options)) await visitFile(walk, path, names);
}

/** In whatever case, in the configuration too. */
export function isTaken(name: string, { extensions }: Pick<DiscoveryOptions, 'extensions'>): boolean {
  const ending = extname(name).toLowerCase();
  return extensions.some(extension => extension.toLowerCase() === ending);
}

async function visitFile(walk: Walk, path: string, names: ReadonlySet<string>): Promise<void> {
  const looks = [await lookAt(path)];
  for (const ending of SIDECARS) {
    if (names.has(basename(path) + ending)) looks.push(ending + (await lookAt(path + ending)));
  }
  walk.files.set(path, looks.join('|'));
}

async function lookAt(path: string): Promise<string> {
  const found = await stat(path, { bigint: true });
  if (!found.isFile()) throw new Error('is not a file');
  return `${found.size}-${found.mtimeNs}-${found.ino}`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The files of mosaics: named, in folders or by pattern, looked at anew each time, so that new ones are picked up. */
import { createHash } from 'node:crypto';
import { glob, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isUrl, shownPath } from '../io/http/allow.ts';
import { type DiscoveryOptions, type FoundFile, isTaken, type ScanFault, scanAll } from './discover.ts';
import type { FarFiles } from './far.ts';
import type { Target } from './open.ts';
import type { LayerOptions, MosaicChoice } from './types.ts';

type Choice = LayerOptions & { readonly path?: string; readonly mosaic?: MosaicChoice };

export interface MosaicLook {
  readonly targets: readonly Target[];
  readonly folders: readonly string[];
  readonly faults: readonly ScanFault[];
}

/** Files of other kinds in the same folders are not meant. */
const VECTOR = '.fgb';

export async function lookAtMosaics(
  layers: Readonly<Record<string, Choice>>,
  discovery: DiscoveryOptions,
  defaults: LayerOptions = {},
  far?: FarFiles,
): Promise<MosaicLook> {
  const targets: Target[] = [];
  const folders: string[] = [];
  const faults: ScanFault[] = [];
  const rasters = {
    ...discovery,
    extensions: discovery.extensions.filter(extension => extension.toLowerCase() !== VECTOR),
  };
  for (const [id, { mosaic, path: _, ...options }] of Object.entries(layers)) {
    if (!mosaic) continue;
    const found = await membersOf(mosaic.paths, rasters, far);
    folders.push(...found.folders);
    faults.push(...found.faults);
    targets.push(targetOf(id, mosaic, { ...defaults, ...options }, found));
  }
  return { targets, folders, faults };
}

interface Members {
  readonly files: readonly FoundFile[];
  readonly folders: readonly string[];
  readonly faults: readonly ScanFault[];
}

function targetOf(id: string, { paths, pixelSelection }: MosaicChoice, options: LayerOptions, found: Members): Target {
  const { files, faults } = found;
  const look = createHash('sha256')
    .update(JSON.stringify([pixelSelection, files, faults]))
    .digest('base64url');
  const why =
    faults.length > 0 ? faults.map(({ path, detail }) => `${shownPath(path)} ${detail}`).join('; ') : 'no raster there';
  return {
    id,
    path: `mosaic:${id}`,
    look,
    options,
    mosaic: { selection: pixelSelection, files, faults },
    ...(files.length === 0 ? { fault: `${paths.map(shownPath).join(', ')}: ${why}` } : {}),
  };
}

/** In the order of the paths; of one folder or pattern by name. A file that two of them name counts once. */
async function membersOf(paths: readonly string[], options: DiscoveryOptions, far?: FarFiles): Promise<Members> {
  const files = new Map<string, FoundFile>();
  const folders: string[] = [];
  const faults: ScanFault[] = [];
  for (const path of paths) {
    const pattern = !isUrl(path) && (await isPattern(path));
    const found = await scanAll(pattern ? await matches(path, options) : [path], options, far);
    for (const file of found.files) if (!files.has(file.path)) files.set(file.path, file);
    folders.push(...(pattern ? [await folderOf(path)] : []), ...found.folders);
    faults.push(...found.faults);
  }
  const all = [...files.values()];
  if (all.length > options.maxFiles) {
    const detail = `${all.length} files found, ${options.maxFiles} taken (discovery.maxFiles)`;
    faults.push({ path: paths.join(', '), detail });
  }
  return { files: all.slice(0, options.maxFiles), folders, faults };
}

/** A file may have a bracket in its name: what is there is meant as it is. */
async function isPattern(path: string): Promise<boolean> {
  return /[*?[\]{}]/.test(path) && !(await exists(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

async function matches(pattern: string, discovery: DiscoveryOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const path of glob(pattern)) if (isTaken(path, discovery)) found.push(path);
  return found;
}

/** What is before the first wildcard is watched; below it polling has to do. */
async function folderOf(pattern: string): Promise<string> {
  let folder = dirname(pattern.slice(0, pattern.search(/[*?[\]{}]/) + 1));
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

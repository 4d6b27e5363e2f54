/** Which layers there should be: the configured ones, and whatever else was found, under ids that do not clash. */
import { shownPath } from '../io/http/allow.ts';
import { labelLayerId } from '../render/vector/label-plan.ts';
import type { FoundFile, Scan } from './discover.ts';
import { assignIds } from './ids.ts';
import type { Target } from './open.ts';
import type { LayerOptions, MosaicChoice } from './types.ts';

export interface Note {
  readonly facts: object;
  readonly message: string;
}

export interface Resolved {
  readonly targets: readonly Target[];
  /** id → path of the discovered files, for the next look. */
  readonly ids: ReadonlyMap<string, string>;
  readonly notes: readonly Note[];
}

type Choice = LayerOptions & { readonly path?: string; readonly mosaic?: MosaicChoice };

export function resolveTargets(
  layers: Readonly<Record<string, Choice>>,
  discovered: readonly FoundFile[],
  configured: Scan,
  before: ReadonlyMap<string, string>,
  defaults: LayerOptions = {},
): Resolved {
  const named = Object.entries(layers).filter(([, { path }]) => path !== undefined);
  const targets: Target[] = named.map(([id, choice]) => namedTarget(id, { ...defaults, ...choice }, configured));
  // A file that the configuration names is that layer and no other.
  const mosaics = Object.keys(layers).filter(id => layers[id].mosaic);
  const labelled = Object.keys(layers).filter(id => layers[id].labels);
  // In a tile of both a layer would be taken for the labels of another.
  const taken = new Set([...named.map(([id]) => id), ...mosaics, ...labelled.map(labelLayerId)]);
  const namedPaths = new Set(named.map(([, { path }]) => path));
  const rest = discovered.filter(({ path }) => !namedPaths.has(path));
  const looks = new Map(rest.map(({ path, look }) => [path, look]));
  const { ids, clashes } = assignIds([...looks.keys()], before, taken);
  for (const [id, path] of ids) {
    targets.push({ id, path, look: looks.get(path) as string, options: { ...defaults, ...layers[id] } });
  }

  const notes: Note[] = clashes.map(({ id, path, wanted, heldBy }) => ({
    facts: { layer: id, path },
    message: `the id ${wanted} belongs to ${heldBy} already, so this file is layer ${id}`,
  }));
  for (const [id, { path }] of Object.entries(layers)) {
    if (path !== undefined || taken.has(id) || ids.has(id)) continue;
    notes.push({ facts: { layer: id }, message: 'configured without a path, and no file of this name was found' });
  }
  return { targets, ids, notes };
}

function namedTarget(id: string, { path = '', ...options }: Choice, configured: Scan): Target {
  const found = configured.files.find(file => file.path === path);
  if (found) return { id, path, look: found.look, options };
  const fault = configured.faults.find(scanFault => scanFault.path === path);
  const why = configured.folders.includes(path)
    ? 'is a folder; name it under paths'
    : (fault?.detail ?? 'is not there');
  return { id, path, look: 'missing', options, fault: `${shownPath(path)} ${why}` };
}

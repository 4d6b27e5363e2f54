/** One look at all that an operator named: which layers there should be now, and the folders where more may appear. */
import { shownPath } from '../io/http/allow.ts';
import type { DiscoveryOptions, ScanFault } from './discover.ts';
import { scanAll } from './discover.ts';
import type { FarFiles } from './far.ts';
import { lookAtMosaics } from './mosaic.ts';
import { type Note, type Resolved, resolveTargets } from './targets.ts';
import type { LayerOptions, MosaicChoice } from './types.ts';

export interface LookedFor {
  readonly paths: readonly string[];
  readonly layers: Readonly<Record<string, LayerOptions & { readonly path?: string; readonly mosaic?: MosaicChoice }>>;
  readonly defaults?: LayerOptions;
  readonly discovery: DiscoveryOptions;
}

export interface Around extends Resolved {
  readonly folders: readonly string[];
  readonly faults: readonly ScanFault[];
}

export async function lookAround(
  { paths, layers, defaults, discovery }: LookedFor,
  before: ReadonlyMap<string, string>,
  far?: FarFiles,
): Promise<Around> {
  const found = await scanAll(paths, discovery, far);
  const named = Object.values(layers).flatMap(({ path }) => (path === undefined ? [] : [path]));
  const configured = await scanAll(named, discovery, far);
  const mosaics = await lookAtMosaics(layers, discovery, defaults, far);
  const { targets, ids, notes } = resolveTargets(layers, found.files, configured, before, defaults);
  const told: Note[] = [...found.faults, ...mosaics.faults].map(({ path, detail }) => ({
    facts: { path: shownPath(path) },
    message: `cannot be looked at: ${detail}`,
  }));
  return {
    targets: [...mosaics.targets, ...targets],
    ids,
    notes: [...told, ...notes],
    folders: [...found.folders, ...mosaics.folders],
    faults: [...found.faults, ...configured.faults, ...mosaics.faults],
  };
}

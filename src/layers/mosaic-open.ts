/** From the files of a mosaic to one layer; a file that does not fit is left out, and the layer says which and why. */
import { basename, dirname } from 'node:path';
import { shownPath } from '../io/http/allow.ts';
import type { RasterSource, Reason, Source } from '../source/types.ts';
import type { FoundFile } from './discover.ts';
import type { Held, Members } from './members.ts';
import { misfit, unionSource, zoomOfFew } from './mosaic-source.ts';
import {
  isPassing,
  layerBase,
  type MosaicTarget,
  type OpenDeps,
  openSlot,
  reasonsOf,
  refusedSlot,
  type Target,
  targetLook,
  type Zooms,
} from './open.ts';
import { createSlot, type Slot } from './slot.ts';
import type { RasterLayer } from './types.ts';

/** Files of one mosaic opened at once, and the reasons that are listed. */
const OPENERS = 4;
const REASONS_MAX = 100;
const MAX_ASSETS = 64;

type Opened = Held | { readonly reasons: readonly Reason[]; readonly passing: boolean };

export function openTarget(target: Target, deps: OpenDeps, files: Members): Promise<Slot> {
  return target.mosaic ? openMosaic(target, deps, files) : openSlot(target, deps);
}

async function openMosaic(target: Target, deps: OpenDeps, files: Members): Promise<Slot> {
  const { files: named, faults, selection } = target.mosaic as MosaicTarget;
  if (target.fault !== undefined) return refusedSlot(target, [{ code: 'read-failed', detail: target.fault }], true);
  const opened = await openAll(target, named, files);
  const passing = opened.some(each => 'passing' in each && each.passing);
  const { sources, refused } = sorted(named, opened);
  const notes = refused.map(({ name, reason }) => memberRefused(name, reason));
  for (const { path, detail } of faults) notes.push({ code: 'mosaic-path', detail: `${shownPath(path)}: ${detail}` });
  const told = notes.length > REASONS_MAX ? [...notes.slice(0, REASONS_MAX), more(notes.length - REASONS_MAX)] : notes;
  if (sources.length === 0) return refusedSlot(target, told, passing);
  try {
    const members = membersOf(target, sources);
    const { version } = layerBase(target, sources[0].source, NO_ZOOMS);
    const source = unionSource(members, { id: target.id, version, notes: told, crs: target.options.crs });
    const maxAssets = target.options.mosaicMaxAssets ?? MAX_ASSETS;
    const layer: RasterLayer = {
      ...layerBase(target, source, zoomsOf(source, members, maxAssets, deps)),
      kind: 'raster',
      source,
      mosaic: { selection, members, refused: refused.length, maxAssets },
    };
    return createSlot(layer, passing ? null : targetLook(target), () => releaseAll(sources));
  } catch (error) {
    releaseAll(sources);
    return refusedSlot(target, reasonsOf(error), isPassing(error));
  }
}

const NO_ZOOMS: Zooms = { minzoom: 0, maxzoom: 0 };

function releaseAll(members: readonly Member[]): void {
  for (const { release } of members) release();
}

async function openAll(target: Target, named: readonly FoundFile[], files: Members): Promise<Opened[]> {
  const opened: Opened[] = [];
  const queue = named.entries();
  const opener = async () => {
    for (const [at, file] of queue) {
      try {
        opened[at] = await files.open(file, target.options);
      } catch (error) {
        opened[at] = { reasons: reasonsOf(error), passing: isPassing(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: OPENERS }, opener));
  return opened;
}

interface Member {
  readonly name: string;
  readonly source: RasterSource;
  release(): void;
}

/** The first that can be served says what the others must be like. */
function sorted(files: readonly FoundFile[], opened: readonly Opened[]) {
  const sources: Member[] = [];
  const refused: { readonly name: string; readonly reason: Reason }[] = [];
  const names = namesOf(files.map(({ path }) => shownPath(path)));
  for (const [at, each] of opened.entries()) {
    const reason = 'source' in each ? refusal(each.source, sources[0]?.source) : each.reasons[0];
    if ('source' in each && each.source.kind === 'raster' && reason === null)
      sources.push({ name: names[at], source: each.source, release: each.release });
    else refused.push({ name: names[at], reason: reason as Reason });
    if ('source' in each && reason !== null) each.release();
  }
  return { sources, refused };
}

function refusal(source: Source, lead: RasterSource | undefined): Reason | null {
  if (source.kind !== 'raster') return { code: 'mosaic-kind', detail: 'it is no raster' };
  if (!source.verdict.servable) return source.verdict.reasons[0];
  if (source.bounds === null) return { code: 'mosaic-place', detail: 'it has no place' };
  const why = lead ? misfit(lead, source) : null;
  return why === null ? null : { code: 'mosaic-misfit', detail: why };
}

function memberRefused(name: string, { code, detail, remedy }: Reason): Reason {
  const reason = { code: 'mosaic-member-refused', detail: `${name} is left out: ${detail} (${code})` };
  return remedy === undefined ? reason : { ...reason, remedy };
}

function more(count: number): Reason {
  return { code: 'mosaic-member-refused', detail: `and ${count} more` };
}

/** File names, with as many folders as all of them need to differ. */
function namesOf(paths: readonly string[]): string[] {
  for (let parts = 1; parts < 8; parts++) {
    const names = paths.map(path => path.split('/').slice(-parts).join('/'));
    if (new Set(names).size === names.length) return names;
  }
  return paths.map(path => `${basename(dirname(path))}/${basename(path)}`);
}

function membersOf(target: Target, sources: readonly Member[]): RasterLayer[] {
  return sources.map(({ name, source }) => ({
    ...layerBase({ ...target, id: name }, source, NO_ZOOMS),
    kind: 'raster',
    source,
  }));
}

/**
 * From the zoom on at which a tile has no more members than it may have, even where pixels are magnified there. A stack that is
 * too high everywhere has no such zoom.
 */
function zoomsOf(source: RasterSource, members: readonly RasterLayer[], maxAssets: number, deps: OpenDeps): Zooms {
  const { minzoom, maxzoom } = deps.zoomsOf(source);
  const boxes = members.flatMap(({ lonLatBounds }) => (lonLatBounds ? [lonLatBounds] : []));
  const few = zoomOfFew(boxes, maxAssets) ?? 0;
  return { minzoom: Math.max(minzoom, few), maxzoom: Math.max(maxzoom, few) };
}

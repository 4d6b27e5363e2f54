/** From a file and an operator's choices to a layer; what cannot be opened becomes a layer that says why. */
import { createHash } from 'node:crypto';
import { Problem } from '../errors.ts';
import { statRef } from '../io/bytes.ts';
import { isUrl } from '../io/http/allow.ts';
import type { PixelSelection } from '../kernels/pixel-selection.ts';
import type { Booking, Ledger } from '../memory/types.ts';
import type { BytesRef } from '../plan.ts';
import type { RasterSource, Reason, Source } from '../source/types.ts';
import { mapAttributes } from './attributes.ts';
import { clusterZooms, judgeClusters } from './clusters.ts';
import type { FoundFile, ScanFault } from './discover.ts';
import type { FarFiles } from './far.ts';
import { createSlot, type Slot } from './slot.ts';
import type { HeldShadow, Layer, LayerOptions, RasterLayer } from './types.ts';

/** What the registry needs to know beyond the file. */
export interface SourceChoices {
  readonly crs?: string;
  readonly nodata?: number;
}

export interface Zooms {
  readonly minzoom: number;
  readonly maxzoom: number;
}

export interface OpenDeps {
  readonly open: (ref: BytesRef, choices: SourceChoices) => Promise<Source>;
  /** Files that are named by URL. */
  readonly far?: FarFiles;
  /** render/ knows which zooms suit a source; layers/ may not look up, so app.ts hands it in. */
  readonly zoomsOf: (source: Source) => Zooms;
  /** Coarser levels for a file that lacks them. Absent: there are none to be had. */
  readonly shadowOf?: (id: string, source: RasterSource, cap: number | undefined) => HeldShadow | null;
  /** Resident bytes of open sources are booked on `index`. */
  readonly ledger?: Ledger;
}

export interface MosaicTarget {
  readonly selection: PixelSelection;
  readonly files: readonly FoundFile[];
  /** What was named and cannot be looked at. */
  readonly faults: readonly ScanFault[];
}

export interface Target {
  readonly id: string;
  readonly path: string;
  readonly look: string;
  readonly options: LayerOptions;
  /** Several files as one layer. */
  readonly mosaic?: MosaicTarget;
  /** Why the path cannot even be looked at. */
  readonly fault?: string;
}

/** These pass by themselves, so the next look tries again even if the file looks the same. */
const PASSING = new Set(['source-changed', 'read-failed', 'overloaded', 'remote-failed', 'remote-timeout']);

/** Keys of objects in one order, however deep: the same choices are the same layer. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function targetLook(target: Target): string {
  return `${target.look}#${JSON.stringify(target.options, inOrder)}`;
}

/** Part of every ETag, so short and free of anything a header could stumble over. */
function versionOf(target: Target): string {
  return createHash('sha256').update(targetLook(target)).digest('base64url').slice(0, 16);
}

export async function openSlot(target: Target, deps: OpenDeps): Promise<Slot> {
  try {
    if (target.fault !== undefined) throw new Problem('read-failed', target.fault);
    return sourceSlot(target, await openFile(target.path, target.options, deps), deps);
  } catch (error) {
    return refusedSlot(target, reasonsOf(error), isPassing(error));
  }
}

export function openFile(path: string, { crs, nodata }: LayerOptions, deps: OpenDeps): Promise<Source> {
  const choices = { ...(crs === undefined ? {} : { crs }), ...(nodata === undefined ? {} : { nodata }) };
  return deps.far && isUrl(path) ? deps.far.open(path, choices) : deps.open(statRef(path), choices);
}

export function refusedSlot(target: Target, reasons: readonly Reason[], passing: boolean): Slot {
  return createSlot(refused(target, reasons), passing ? null : targetLook(target), () => {});
}

export function isPassing(error: unknown): boolean {
  return isSystemError(error) || (error instanceof Problem && PASSING.has(error.code));
}

function sourceSlot(target: Target, source: Source, deps: OpenDeps): Slot {
  let layer: Layer;
  try {
    layer = sourceLayer(target, source, deps);
  } catch (error) {
    void source.close().catch(() => {});
    throw error;
  }
  const booking: Booking | undefined = deps.ledger?.book('index', source.residentBytes, `layer ${target.id}`);
  return createSlot(layer, targetLook(target), () => {
    if ('shadow' in layer) (layer.shadow as HeldShadow).close();
    booking?.release();
    // A file that fails to close has nothing left to give; its descriptor is the kernel's by then.
    void source.close().catch(() => {});
  });
}

function sourceLayer(target: Target, source: Source, deps: OpenDeps): Layer {
  const zooms = source.verdict.servable ? deps.zoomsOf(source) : { minzoom: 0, maxzoom: 0 };
  if (source.kind === 'raster') return rasterLayer(target, source, zooms, deps);
  const mapped = mapAttributes(source, target.options);
  return {
    ...layerBase({ ...target, options: mapped.options }, mapped.source, clusterZooms(zooms, target.options)),
    kind: 'vector',
    source: mapped.source,
  };
}

/** Its shadow is part of its version: tiles that are made of it are other tiles. */
function rasterLayer(target: Target, source: RasterSource, zooms: Zooms, { shadowOf }: OpenDeps): RasterLayer {
  const base = layerBase(target, source, zooms);
  const shadow = shadowOf?.(target.id, source, target.options.maxReadAmplification) ?? null;
  if (shadow === null) return { ...base, kind: 'raster', source };
  return { ...base, version: `${base.version}.${shadow.factors[0]}`, kind: 'raster', source, shadow };
}

export function layerBase(target: Target, source: Source, zooms: Zooms): Omit<RasterLayer, 'kind' | 'source'> {
  const { id, options } = target;
  return {
    id,
    title: options.title ?? source.title ?? id,
    description: options.description ?? source.description,
    options,
    verdict: judgeClusters(source, options),
    version: versionOf(target),
    lonLatBounds: source.lonLatBounds,
    ...clampZooms(options, zooms),
  };
}

/** One end given by the operator moves the derived other end along where they would cross. */
function clampZooms(options: LayerOptions, derived: Zooms): Zooms {
  const minzoom = options.minzoom ?? Math.min(derived.minzoom, options.maxzoom ?? derived.minzoom);
  return { minzoom, maxzoom: options.maxzoom ?? Math.max(derived.maxzoom, minzoom) };
}

function refused(target: Target, reasons: readonly Reason[]): Layer {
  return {
    kind: 'refused',
    id: target.id,
    title: target.options.title ?? target.id,
    description: target.options.description ?? null,
    options: target.options,
    verdict: { servable: false, reasons, notes: [] },
    version: versionOf(target),
    lonLatBounds: null,
    minzoom: 0,
    maxzoom: 0,
    href: target.path,
  };
}

/** A format that refuses a file lists its reasons in `extra.reasons`. */
export function reasonsOf(error: unknown): Reason[] {
  if (isSystemError(error)) return [{ code: 'read-failed', detail: error.message }];
  if (!(error instanceof Problem)) return [{ code: 'internal', detail: String(error) }];
  const { reasons, remedy, code } = error.extra;
  if (Array.isArray(reasons) && reasons.length > 0) return reasons as Reason[];
  const reason = { code: typeof code === 'string' ? code : error.code, detail: error.message };
  return [typeof remedy === 'string' ? { ...reason, remedy } : reason];
}

/** Not there any more, no permission, too many open files. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

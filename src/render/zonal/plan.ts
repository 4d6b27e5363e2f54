/**
 * Statistics of a raster in each feature of a vector layer, planned from the indexes of both: the leaf of a feature gives
 * its box, the box the blocks that it can touch. Zones go to the workers in batches, and what a batch costs does not grow
 * with how many zones there are: a block, the points of the largest zone, and the lines of text.
 */
import { xPeriod } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import { spansCost } from '../../io/http/spans.ts';
import { stagedBytes } from '../../io/staged.ts';
import { edgeBytes } from '../../kernels/scanline.ts';
import { CATEGORIES_MAX, CATEGORY_BYTES } from '../../kernels/statistics/one-pass.ts';
import type { RasterLayer, VectorLayer } from '../../layers/types.ts';
import type { Cost } from '../../plan.ts';
import { featureAt } from '../../source/fgb/query.ts';
import type { BBox } from '../../tile.ts';
import { layerColumns } from '../columns.ts';
import { queryBoxes } from '../items/query.ts';
import { fgbOf, schemaOf } from '../items/stream.ts';
import { chooseBands, defaultBands, scaling } from '../raster/bands.ts';
import { gatherBytes, heldInputBytes, inputBytes, planRead } from '../raster/blocks.ts';
import { movedBox } from '../raster/boxes.ts';
import { invertAffine } from '../raster/geometry.ts';
import { crsOf } from '../raster/read.ts';
import { SHORT_BLOCKS } from '../raster/statistics.ts';
import type { BandChoice, RasterParams, Rect, WindowRead } from '../raster/types.ts';
import { placesOf } from './places.ts';
import type { ZonalFormat, ZonalJob, Zone, ZonePart, ZonesRead } from './types.ts';

export interface ZonalAsk {
  readonly zones: VectorLayer;
  readonly raster: RasterLayer;
  /** In the CRS of the zones; null: all of them. */
  readonly boxes: readonly BBox[] | null;
  readonly properties: readonly string[] | null;
  readonly params: RasterParams;
  readonly categorical: boolean;
  readonly format: ZonalFormat;
  /** Places in the file: the first zone wanted, and how many at most. */
  readonly from: number;
  readonly limit: number;
}

export interface ZonalBatch {
  readonly job: ZonalJob;
  readonly cost: Cost;
}

/** Zones that the index is asked for at a time. */
const PAGE = 1024;
/** A batch ends at the first of these. */
const BATCH_ZONES = 128;
const BATCH_BLOCKS = 2048;
const BATCH_BYTES = 1 << 20;
/** Blocks of one zone: its list of blocks must stay small beside what it reads. */
export const ZONE_BLOCKS_MAX = 65_536;
/** JavaScript objects of a feature against its bytes; text of its attributes against the same. */
const OBJECT_FACTOR = 5;
const TEXT_FACTOR = 3;
const LINE_BYTES = 256;
const BAND_BYTES = 256;
/** A window with its block, as it goes to the worker. */
const WINDOW_BYTES = 256;

/** How many zones there are, for ?explain=1. */
export async function countZones({ zones, boxes }: ZonalAsk, signal: AbortSignal): Promise<number> {
  const { matched } = await queryBoxes(fgbOf(zones), boxes, 0, 0, signal);
  return matched;
}

/** Batch after batch, planned when the one before is done. */
export async function* planZonal(ask: ZonalAsk, signal: AbortSignal): AsyncGenerator<ZonalBatch, void> {
  const source = fgbOf(ask.zones);
  const planner = plannerOf(ask);
  let left = ask.limit;
  let at: number | null = ask.from;
  let zones: Zone[] = [];
  let [blocks, bytes] = [0, 0];
  while (at !== null && left > 0) {
    const page = await queryBoxes(source, ask.boxes, at, Math.min(PAGE, left), signal);
    for (const ordinal of page.ordinals) {
      const zone = await planner.zone(ordinal, signal);
      const count = zone.parts.reduce((sum, part) => sum + part.windows.length, 0);
      const full = zones.length >= BATCH_ZONES || blocks + count > BATCH_BLOCKS || bytes + zone.length > BATCH_BYTES;
      if (full && zones.length > 0) {
        yield planner.batch(zones);
        zones = [];
        [blocks, bytes] = [0, 0];
      }
      zones.push(zone);
      blocks += count;
      bytes += zone.length;
    }
    left -= page.ordinals.length;
    at = page.nextOrdinal;
  }
  if (zones.length > 0) yield planner.batch(zones);
}

interface Planner {
  zone(ordinal: number, signal: AbortSignal): Promise<Zone>;
  batch(zones: readonly Zone[]): ZonalBatch;
}

function plannerOf(ask: ZonalAsk): Planner {
  const { zones, raster, params } = ask;
  const source = fgbOf(zones);
  const bands = defaultBands(raster, params, null);
  const choice = chooseBands(raster, params, bands);
  const crs = crsOf(raster);
  const zoneCrs = source.crs as string;
  const features: ZonesRead = {
    ref: source.ref,
    crs: zoneCrs,
    schema: schemaOf(zones),
    properties: ask.properties ?? layerColumns(zones).map(({ name }) => name),
    idColumn: zones.options.idColumn ?? null,
  };
  return {
    async zone(ordinal, signal) {
      const { offset, length, box } = await featureAt(source, ordinal, signal);
      const moved = zoneCrs === crs ? box : movedBox(zoneCrs, crs, box);
      const middle = moved && zoneCrs !== crs ? (moved[0] + moved[2]) / 2 : null;
      const place = { ordinal, offset, length, middle };
      if (!moved?.every(Number.isFinite)) return { ...place, parts: [], fault: null };
      const parts = await partsOf(raster, crs, moved, choice, signal);
      return parts
        ? { ...place, parts, fault: null }
        : { ...place, parts: [], fault: `it covers more than ${ZONE_BLOCKS_MAX} blocks` };
    },
    batch(list) {
      const job: ZonalJob = {
        task: 'zonal',
        // It waits for another server, or reads many blocks: not before other jobs of its thread.
        ...(raster.source.ref.remote || source.ref.remote || windowsOf(list).length > SHORT_BLOCKS
          ? { long: true }
          : {}),
        zones: list,
        features,
        choice,
        rasterCrs: crs,
        transform: raster.source.transform,
        ...scaling(raster.source, params, bands),
        categorical: ask.categorical,
        format: ask.format,
      };
      return { job, cost: costOf(list, ask, choice) };
    },
  };
}

/** The windows of the full resolution that a box meets, also one world to either side; null where they are too many. */
async function partsOf(
  raster: RasterLayer,
  crs: string,
  box: BBox,
  choice: BandChoice,
  signal: AbortSignal,
): Promise<ZonePart[] | null> {
  const period = xPeriod(crs);
  const parts: ZonePart[] = [];
  let blocks = 0;
  for (const turns of period === null ? [0] : [0, 1, -1]) {
    const shift = turns * (period ?? 0);
    const window = windowOf(raster, [box[0] + shift, box[1], box[2] + shift, box[3]]);
    if (!window) continue;
    const cut = cutOf(raster, window);
    blocks += cut.length;
    if (blocks > ZONE_BLOCKS_MAX) return null;
    const windows: WindowRead[] = [];
    for (const rect of cut) windows.push(await planRead(raster.source, 0, rect, choice, null, signal));
    parts.push({ shift, windows });
  }
  return parts;
}

/** Pixels that a box of the raster's CRS may touch. */
function windowOf({ source }: RasterLayer, [minx, miny, maxx, maxy]: BBox): Rect | null {
  const t = invertAffine(source.transform);
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [x, y] of [
    [minx, miny],
    [minx, maxy],
    [maxx, miny],
    [maxx, maxy],
  ] as const) {
    xs.push(t[0] + x * t[1] + y * t[2]);
    ys.push(t[3] + x * t[4] + y * t[5]);
  }
  // A pixel more on each side: edges bend on their way to another CRS.
  const x0 = Math.max(0, Math.floor(Math.min(...xs)) - 1);
  const y0 = Math.max(0, Math.floor(Math.min(...ys)) - 1);
  const x1 = Math.min(source.width, Math.ceil(Math.max(...xs)) + 1);
  const y1 = Math.min(source.height, Math.ceil(Math.max(...ys)) + 1);
  return x1 > x0 && y1 > y0 ? { x: x0, y: y0, width: x1 - x0, height: y1 - y0 } : null;
}

/** A window along the edges of the blocks. */
function cutOf({ source }: RasterLayer, { x, y, width, height }: Rect): Rect[] {
  const { blockWidth, blockHeight } = source.levels[0].format;
  const cut: Rect[] = [];
  for (
    let top = y;
    top < y + height && cut.length <= ZONE_BLOCKS_MAX;
    top = (Math.floor(top / blockHeight) + 1) * blockHeight
  ) {
    const bottom = Math.min(y + height, (Math.floor(top / blockHeight) + 1) * blockHeight);
    for (let left = x; left < x + width; left = (Math.floor(left / blockWidth) + 1) * blockWidth) {
      const right = Math.min(x + width, (Math.floor(left / blockWidth) + 1) * blockWidth);
      cut.push({ x: left, y: top, width: right - left, height: bottom - top });
    }
  }
  return cut;
}

function windowsOf(zones: readonly Zone[]): WindowRead[] {
  return zones.flatMap(zone => zone.parts.flatMap(part => part.windows));
}

/** One zone after the other, of each one window after the other; the text of all. */
function costOf(zones: readonly Zone[], { zones: layer, raster, categorical }: ZonalAsk, choice: BandChoice): Cost {
  const windows = windowsOf(zones);
  const largest = Math.max(0, ...zones.map(zone => zone.length));
  const bands = choice.bands.length;
  const gathered = windows.reduce((most, window) => Math.max(most, gatherBytes(window, raster.source, choice)), 0);
  const featureBytes = zones.reduce((sum, zone) => sum + zone.length, 0);
  const counted = categorical ? bands * CATEGORIES_MAX * CATEGORY_BYTES : 0;
  const lines =
    zones.length * (LINE_BYTES + bands * BAND_BYTES) + (categorical ? zones.length * bands * CATEGORIES_MAX * 16 : 0);
  const outputBytes = featureBytes * TEXT_FACTOR + lines;
  const { remote } = layer.source.ref;
  const far = remote && spansCost(placesOf(zones), remote);
  const staged = far ? far.heldBytes + stagedBytes(zones.length, featureBytes) : 0;
  return {
    inputBytes: (far?.bytes ?? featureBytes) + windows.reduce((sum, window) => sum + inputBytes(window), 0),
    heldInputBytes: largest + heldInputBytes(windows) + staged,
    decodedBytes:
      gathered +
      largest * OBJECT_FACTOR +
      edgeBytes(largest / 16) +
      counted +
      windows.length * WINDOW_BYTES +
      outputBytes,
    outputBytes,
  };
}

/** Refuses layers that cannot be zones as a whole; single features that are no areas say so in their line. */
export function checkZones({ id, source }: VectorLayer): void {
  if (source.geometry === 'LineString' || source.geometry === 'MultiLineString')
    throw problem('unprocessable', `zones: ${id} holds lines; zones are polygons or points`);
}

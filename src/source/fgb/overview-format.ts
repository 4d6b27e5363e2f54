/**
 * The overview of a FlatGeobuf file, `FILE.fgb.plo`: what a walk of the index would select at the coarse steps of the ladder of
 * cells, worked out once, so that a tile reads it in a few ranges. Little-endian:
 *
 *   0       8 bytes  magic 'PLIMSOLO'
 *   8       u32      version, 1
 *   12      u32      bytes of the description
 *   16      u32      CRC-32 of the description
 *   20               the description, JSON (OverviewMeta); then nothing up to byte 65536
 *   65536            levels, one a step: its groups, its entries, its features
 *   group   40 bytes box (4 × f64) of GROUP entries │ u32 CRC-32 of their bytes │ u32 0
 *   entry   72 bytes box (4 × f64) │ u64 offset │ u64 ordinal │ f64 area │ u32 length │ u32 count │ u32 CRC-32 │ u32 0
 *
 * Entries are in tree order, so ordinals rise. An entry is a feature as large as a cell (count 1) or the first of a cell's small
 * ones, with their number and the sum of their areas. `offset` is where its bytes begin: from the start of the level's
 * features where it has them (then CRC-32 is of those bytes), else from the start of the features in the file itself.
 */
import { crc32 } from 'node:zlib';

export const OVERVIEW_SUFFIX = '.plo';
/** What prepares the coarse zooms of a file on another server. */
export function overviewRemedy(href: string): string {
  const name = href.slice(href.lastIndexOf('/') + 1);
  return `plimsoll overview ${name}, and put ${name}${OVERVIEW_SUFFIX} beside it`;
}

export const OVERVIEW_MAGIC = 'PLIMSOLO';
export const OVERVIEW_VERSION = 1;
export const PREFIX_BYTES = 20;
export const HEAD_BYTES = 65_536;
export const GROUP = 64;
export const GROUP_BYTES = 40;
export const ENTRY_BYTES = 72;

/** Places of an entry's fields, in bytes from its start. */
export const ENTRY = { offset: 32, ordinal: 40, area: 48, length: 56, count: 60, crc: 64 } as const;

export interface OverviewLevel {
  readonly step: number;
  readonly entries: number;
  /** Bytes of the file at which the groups, the entries and the features begin; featuresAt null: they are in the source. */
  readonly groupsAt: number;
  readonly groupsCrc: number;
  readonly entriesAt: number;
  readonly featuresAt: number | null;
  readonly featureBytes: number;
}

export interface OverviewMeta {
  /** What it was made of: bytes, mtime in ns, SHA-256 of the header and the upper levels of the index. */
  readonly source: { readonly size: number; readonly modified: string; readonly digest: string };
  readonly crs: string;
  /** The ladder: CRS of the grid of tiles, its origin, side of step 0. */
  readonly grid: { readonly crs: string; readonly originX: number; readonly originY: number; readonly side: number };
  /** Leaves without a box, which no tile shows. */
  readonly boxless: number;
  readonly levels: readonly OverviewLevel[];
  /** How fine the cells of each zoom are, of a layer of which nothing was chosen. */
  readonly cells?: RecordedCells;
}

/** As render/vector/lod.ts measured them. */
export interface RecordedCells {
  /** Key of the grid of tiles, and the last zoom of the layer. */
  readonly grid: string;
  readonly maxzoom: number;
  readonly caps: {
    readonly maxFeatures: number;
    readonly maxBytes: number;
    readonly cellsMax: number;
    readonly cellsMin: number;
  };
  readonly steps: readonly (number | null)[];
}

const LEVELS_MAX = 40;
const STEP_MAX = 32;

type Check = (value: unknown) => boolean;

const whole: Check = value => Number.isSafeInteger(value) && (value as number) >= 0;
const text: Check = value => typeof value === 'string';
const finite: Check = value => Number.isFinite(value);

/** Every member there, and of its kind. By hand: a schema library would cost each render thread six megabytes of heap. */
function shaped(checks: Readonly<Record<string, Check>>): Check {
  return value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

const isLevel = shaped({
  step: value => whole(value) && (value as number) <= STEP_MAX,
  entries: whole,
  groupsAt: whole,
  groupsCrc: whole,
  entriesAt: whole,
  featuresAt: value => value === null || whole(value),
  featureBytes: whole,
});

const isStep: Check = value => value === null || (Number.isSafeInteger(value) && Math.abs(value as number) <= STEP_MAX);

const isCells = shaped({
  grid: text,
  maxzoom: whole,
  caps: shaped({ maxFeatures: whole, maxBytes: whole, cellsMax: finite, cellsMin: finite }),
  steps: value => Array.isArray(value) && value.length <= LEVELS_MAX && value.every(isStep),
});

const isMeta = shaped({
  source: shaped({ size: whole, modified: text, digest: text }),
  crs: text,
  grid: shaped({ crs: text, originX: finite, originY: finite, side: finite }),
  boxless: whole,
  levels: value => Array.isArray(value) && value.length <= LEVELS_MAX && value.every(isLevel),
  cells: value => value === undefined || isCells(value),
});

export function encodeHead(meta: OverviewMeta): Uint8Array {
  const json = Buffer.from(JSON.stringify(meta));
  if (json.length > HEAD_BYTES - PREFIX_BYTES) throw new RangeError(`a description of ${json.length} bytes`);
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(OVERVIEW_MAGIC, 0, 'latin1');
  head.writeUInt32LE(OVERVIEW_VERSION, 8);
  head.writeUInt32LE(json.length, 12);
  head.writeUInt32LE(crc32(json), 16);
  json.copy(head, PREFIX_BYTES);
  return head;
}

/** The description of a file of that many bytes, every range in it checked against them. Throws an Error that says what is wrong. */
export function decodeHead(head: Uint8Array, fileBytes: number): OverviewMeta {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < HEAD_BYTES) throw new Error(`it has ${head.length} bytes, too few for an overview`);
  if (Buffer.from(head.subarray(0, 8)).toString('latin1') !== OVERVIEW_MAGIC) throw new Error('it is no overview');
  const version = view.getUint32(8, true);
  if (version !== OVERVIEW_VERSION) throw new Error(`it is of version ${version}, not ${OVERVIEW_VERSION}`);
  const length = view.getUint32(12, true);
  if (length > HEAD_BYTES - PREFIX_BYTES) throw new Error(`its description claims ${length} bytes`);
  const json = head.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  if (crc32(json) !== view.getUint32(16, true)) throw new Error('its description is damaged');
  const meta = JSON.parse(Buffer.from(json).toString()) as OverviewMeta;
  if (!isMeta(meta)) throw new Error('its description lacks what it must have');
  for (const level of meta.levels) checkLevel(level, fileBytes);
  return meta;
}

export function groupsOf({ entries }: OverviewLevel): number {
  return Math.ceil(entries / GROUP);
}

function checkLevel(level: OverviewLevel, fileBytes: number): void {
  const { step, entries, groupsAt, entriesAt, featuresAt, featureBytes } = level;
  const inside = (at: number, bytes: number) => at >= HEAD_BYTES && at + bytes <= fileBytes;
  const good =
    inside(groupsAt, groupsOf(level) * GROUP_BYTES) &&
    inside(entriesAt, entries * ENTRY_BYTES) &&
    (featuresAt === null || inside(featuresAt, featureBytes));
  if (!good) throw new Error(`its step ${step} lies outside its ${fileBytes} bytes`);
}

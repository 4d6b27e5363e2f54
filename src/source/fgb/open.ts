/** FlatGeobuf as a source: opened, checked and judged; its index at hand, its features only by byte ranges. */
import { type Crs, isLonLat, resolveCrs, transformBounds } from '../../crs/index.ts';
import { Problem, problem } from '../../errors.ts';
import { type Bytes, openBytes } from '../../io/bytes.ts';
import type { BytesRef } from '../../plan.ts';
import { type BBox, MERCATOR_MAX_LAT } from '../../tile.ts';
import type { Reason, VectorSource } from '../types.ts';
import { farPages } from './far-pages.ts';
import { type FgbHeader, readHeader } from './header.ts';
import { GEOMETRY_KINDS } from './layout.ts';
import type { OverviewSlot } from './overview.ts';
import { besideFile, openOverview } from './overview-open.ts';
import { reason, refusal } from './reasons.ts';
import { checkUpper, leafOffset, NODE_BYTES, type PackedTree, rootBox, treeShape } from './rtree.ts';
import { type FilePagesOptions, filePages, PageBudget, type PageCache, views } from './rtree-pages.ts';
import { scanTree } from './scan.ts';
import { SpareTaken } from './taken.ts';

export interface FgbSource extends VectorSource {
  readonly bytes: Bytes;
  /** null where there are no features, or the file is not servable for want of an index. */
  readonly tree: PackedTree | null;
  /** Byte of the file from which leaf offsets count. */
  readonly featuresStart: number;
  /** The header's geometry type number, 0 where features say their own. */
  readonly geometryType: number;
  /** What the zooms' cells are, by grid and caps, once measured: see render/vector/lod.ts. Dies with the source. */
  readonly lod: Map<string, Promise<{ readonly steps: readonly (number | null)[]; readonly fill: number }>>;
  /** FILE.plo where it is there and fits. */
  readonly overview: OverviewSlot;
  /** Bytes before the index. */
  readonly headerBytes: number;
  /** Arrays that walks over the index fill. */
  readonly taken: SpareTaken;
  /** Whether every leaf has a place, once looked at: see tree-walk.ts. */
  readonly placed: { all: Promise<boolean> | null };
}

export interface FgbOptions {
  /** Replaces the file's CRS. */
  readonly crs?: string;
  readonly signal?: AbortSignal;
  /** Leaf pages of all files that share it; own DEFAULT_PAGE_BYTES_MAX where absent. */
  readonly pages?: PageBudget;
  /** Arrays of walks, of all files that share them. */
  readonly taken?: SpareTaken;
  /** Bytes of one such page; DEFAULT_PAGE_BYTES where absent. */
  readonly pageBytes?: number;
  /** false: as if there were no FILE.plo. */
  readonly overview?: boolean;
  /** A file without an index is scanned up to this size, beyond it refused. */
  readonly unindexedBytesMax?: number;
  /** Of a file that is not one of this machine; and what is beside it as its overview, null where nothing is. */
  readonly open?: () => Bytes;
  readonly beside?: () => Promise<Bytes | null>;
  /** Told of bytes of the index that are on their way from another server, until what it answers with is called. */
  readonly hold?: (bytes: number) => () => void;
}

export const DEFAULT_PAGE_BYTES_MAX = 8 * 1024 * 1024;
export const DEFAULT_UNINDEXED_BYTES_MAX = 16 * 1024 * 1024;
export const DEFAULT_PAGE_BYTES = 64 * 1024;
/** Of an index on another server, in one request. */
const DEFAULT_REQUEST_BYTES = 1024 * 1024;
/** Header and column objects, roughly. */
const COLUMN_BYTES = 250;

export function isFgbSource(source: VectorSource): source is FgbSource {
  return 'featuresStart' in source;
}

export async function openFgb(ref: BytesRef, options: FgbOptions = {}): Promise<FgbSource> {
  const bytes = options.open?.() ?? openBytes(ref);
  try {
    const header = await readHeader(bytes, options.signal);
    const opened = await openTree(bytes, header, options);
    const crs = judgeCrs(ref.href, header, options.crs, opened.reasons);
    const of = { bytes, tree: opened.tree, headerBytes: header.length, crs: crs?.id ?? null };
    const none: OverviewSlot = { current: null, notes: [] };
    const beside = options.beside ?? besideFile(ref);
    const overview = options.overview === false ? none : await openOverview(of, beside, options.signal);
    const { taken = new SpareTaken() } = options;
    return { ...judge(bytes, header, opened, crs, overview), taken };
  } catch (error) {
    bytes.close();
    throw error;
  }
}

interface OpenTree {
  readonly tree: PackedTree | null;
  readonly featuresStart: number;
  readonly reasons: Reason[];
}

async function openTree(bytes: Bytes, header: FgbHeader, options: FgbOptions): Promise<OpenTree> {
  const { href, size } = bytes.ref;
  const empty = header.count === 0 && header.length === size;
  if (empty) return { tree: null, featuresStart: header.length, reasons: [] };
  if (header.count > 0 && header.nodeSize >= 2) return openIndex(bytes, header, options);
  if (header.nodeSize === 1) throw refusal('fgb-index-corrupt', `${href} has an index node size of 1`);
  const limit = options.unindexedBytesMax ?? DEFAULT_UNINDEXED_BYTES_MAX;
  const featuresStart = header.length;
  if (bytes.ref.remote) {
    const detail = `${href} has no spatial index, and a file of another server is not read whole to make one`;
    return { tree: null, featuresStart, reasons: [reason('fgb-no-index', detail)] };
  }
  if (size > limit) {
    const detail = `${href} has no spatial index, and at ${size} bytes is larger than vector.unindexedMaxBytes (${limit})`;
    return { tree: null, featuresStart, reasons: [reason('fgb-no-index', detail)] };
  }
  return { tree: await scanTree(bytes, featuresStart, header.count, options.signal), featuresStart, reasons: [] };
}

async function openIndex(bytes: Bytes, header: FgbHeader, options: FgbOptions): Promise<OpenTree> {
  const { href, size } = bytes.ref;
  const shape = treeShape(header.count, header.nodeSize);
  const indexStart = header.length;
  const featuresStart = indexStart + shape.nodes * NODE_BYTES;
  // Every feature takes a size prefix and a root at least; what is checked here bounds every allocation below.
  if (featuresStart + header.count * 8 > size) {
    throw refusal('fgb-truncated', `${href} has ${size} bytes, too few for ${header.count} features and their index`);
  }
  const raw = await bytes.read(indexStart, shape.levels[0].start * NODE_BYTES, options.signal);
  const upper = views((raw.byteOffset & 7) === 0 ? raw : raw.slice()).boxes;
  const { pageBytes = DEFAULT_PAGE_BYTES } = options;
  const pageLeaves = header.nodeSize * Math.max(1, Math.floor(pageBytes / NODE_BYTES / header.nodeSize));
  const budget = options.pages ?? new PageBudget(DEFAULT_PAGE_BYTES_MAX);
  const pages = pagesOf({ bytes, shape, pageLeaves, indexStart, featuresStart, budget }, options);
  const tree = { shape, upper, pageLeaves, pages, residentBytes: upper.byteLength };
  try {
    checkUpper(shape, upper, href);
    checkReach(upper, href);
    await checkEnds(bytes, tree, featuresStart, options.signal);
  } catch (error) {
    if (error instanceof Problem && error.code === 'corrupt-data') throw refusal('fgb-index-corrupt', error.message);
    throw error;
  }
  return { tree, featuresStart, reasons: [] };
}

function pagesOf(options: FilePagesOptions, { hold }: FgbOptions): PageCache {
  const { remote } = options.bytes.ref;
  if (!remote) return filePages(options);
  const { indexBytes: requestBytes = DEFAULT_REQUEST_BYTES, bytesMax = Number.POSITIVE_INFINITY } =
    remote.features ?? {};
  return farPages({ ...options, requestBytes, bytesMax, ...(hold ? { hold } : {}) });
}

/** Without a box for all there would be no bounds, and not a tile; where nothing has a box, it is turned inside out. */
function checkReach([minx, miny, maxx, maxy]: Float64Array, name: string): void {
  if ([minx, miny, maxx, maxy].every(Number.isFinite) || minx > maxx) return;
  const detail = `${name}: its index reaches to infinity (${minx}, ${miny}, ${maxx}, ${maxy})`;
  throw problem('corrupt-data', detail, { reason: 'fgb-index-corrupt' });
}

/** The first feature must follow the index, and the last must end with the file or before. */
async function checkEnds(bytes: Bytes, tree: PackedTree, featuresStart: number, signal?: AbortSignal): Promise<void> {
  const { href, size } = bytes.ref;
  const first = await tree.pages.load(0, signal);
  if (leafOffset(first, 0) !== 0)
    throw problem('corrupt-data', `${href}: its first feature is at offset ${leafOffset(first, 0)}`);
  const last = await tree.pages.load(Math.floor((tree.shape.count - 1) / tree.pageLeaves), signal);
  const at = featuresStart + leafOffset(last, last.count - 1);
  const prefix = await bytes.read(at, 4, signal);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 4).getUint32(0, true);
  if (at + 4 + length > size) {
    throw refusal(
      'fgb-truncated',
      `${href} ends at byte ${size}, within its last feature (bytes ${at}–${at + 4 + length})`,
    );
  }
}

function judge(
  bytes: Bytes,
  header: FgbHeader,
  { tree, featuresStart, reasons }: OpenTree,
  crs: Crs | null,
  overview: OverviewSlot,
): Omit<FgbSource, 'taken'> {
  const { notes } = overview;
  const binary = header.columns.filter(c => c.type === 'binary').map(c => c.name);
  if (binary.length > 0)
    notes.push({
      code: 'fgb-binary-column',
      detail: `left out of tiles, which cannot hold bytes: ${binary.join(', ')}`,
    });
  if (tree && header.nodeSize === 0)
    notes.push({ code: 'fgb-scanned', detail: 'no spatial index in the file: one was built in memory' });
  if (crs?.note) notes.push({ code: 'fgb-crs-note', detail: `${crs.id}: ${crs.note}` });
  const bounds = tree ? (rootBox(tree) ?? header.envelope) : null;
  const lonLat = crs && bounds ? lonLatBounds(crs.id, bounds) : null;
  // Where no feature has a geometry the box is inside out, and nothing is amiss.
  const outside =
    crs && bounds && bounds[0] <= bounds[2] && (lonLat === null || outsideWorld(crs.id, bounds)) ? bounds : null;
  if (outside)
    reasons.push(reason('fgb-outside-crs', `bounds ${outside.join(', ')} have no place on Earth in ${crs?.id}`));
  else if (lonLat && (lonLat[1] > MERCATOR_MAX_LAT || lonLat[3] < -MERCATOR_MAX_LAT))
    notes.push({
      code: 'fgb-beyond-mercator',
      detail: `it lies at latitudes ${lonLat[1].toFixed(2)} to ${lonLat[3].toFixed(2)}, where web mercator has no tiles`,
    });
  return {
    kind: 'vector',
    ref: bytes.ref,
    verdict: { servable: reasons.length === 0, reasons, notes },
    title: header.title,
    description: header.description,
    crs: crs?.id ?? null,
    bounds,
    lonLatBounds: outside ? null : lonLat,
    residentBytes:
      (tree?.residentBytes ?? 0) +
      (overview.current?.residentBytes ?? 0) +
      header.columns.length * COLUMN_BYTES +
      header.length,
    geometry: GEOMETRY_KINDS[header.geometryType],
    hasZ: header.hasZ,
    hasM: header.hasM,
    columns: header.columns,
    count: tree?.shape.count ?? header.count,
    indexed: header.nodeSize >= 2,
    bytes,
    tree,
    featuresStart,
    geometryType: header.geometryType,
    lod: new Map(),
    overview,
    headerBytes: header.length,
    placed: { all: null },
    async close() {
      tree?.pages.close();
      overview.current?.bytes.close();
      bytes.close();
    },
  };
}

/** The configured CRS, or the first of the header's texts that resolves; a reason is added where there is none. */
function judgeCrs(href: string, header: FgbHeader, configured: string | undefined, reasons: Reason[]): Crs | null {
  if (configured !== undefined) return resolveCrs(configured);
  let failure: string | null = null;
  for (const text of header.crs) {
    try {
      return resolveCrs(text);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failure ??= error.message;
    }
  }
  if (failure === null)
    reasons.push(reason('fgb-no-crs', `${href} does not say its CRS; name one in the layer's options, or in the file`));
  else reasons.push(reason('fgb-crs-unsupported', `${href}: ${failure}`));
  return null;
}

/** Metres that are said to be degrees, most often. A few stray features alone do not make a file wrong. */
function outsideWorld(crs: string, [west, south, east, north]: BBox): boolean {
  return isLonLat(crs) && (south > 90 || north < -90 || west > 540 || east < -540);
}

function lonLatBounds(crs: string, bounds: BBox): BBox | null {
  if (crs !== 'EPSG:4326' && crs !== 'OGC:CRS84') return transformBounds(crs, 'OGC:CRS84', bounds);
  const [west, south, east, north] = bounds;
  const [low, high] = [Math.max(-90, south), Math.min(90, north)];
  if (east - west >= 360) return [-180, low, 180, high];
  return [longitude(west), low, longitude(east), high];
}

/** By its name from −180 to 180. */
function longitude(lon: number): number {
  return lon >= -180 && lon <= 180 ? lon : ((((lon + 180) % 360) + 360) % 360) - 180;
}

/**
 * A GeoTIFF, cloud optimised or not, opened and judged: what it is, where it is, where its blocks are, and whether it can be
 * served right. Reads the head of the file (one read for a COG), small block tables, and siblings (.ovr, .msk); no pixels.
 *
 * Every judgement is made here, once: what has a reason against it is described all the same and never drawn. Only what
 * cannot even be described (no TIFF at all, a broken first directory) throws, as 'layer-not-servable' with its reasons.
 */
import { existsSync } from 'node:fs';
import { isLonLat, transformBounds } from '../../crs/index.ts';
import { Problem } from '../../errors.ts';
import { type Bytes, openBytes, statRef } from '../../io/bytes.ts';
import type { BytesRef } from '../../plan.ts';
import type { BBox } from '../../tile.ts';
import type { DType, Level, RasterSource } from '../types.ts';
import { bandsOf, descriptionOf, isPremultiplied, nodataOf, paletteOf, warnOfLossyNodata } from './bands.ts';
import { crsOf } from './crs.ts';
import { crsKeysOf, geoKeysOf, isPixelIsPoint, verticalUnitOf } from './geokeys.ts';
import { boundsOf, IDENTITY, transformOf } from './georef.ts';
import { one, openTiff, readDirectories, type TiffReader } from './ifd.ts';
import {
  BLOCK_BYTES_MAX,
  type Image,
  type OpenLevel,
  openLevel,
  openMask,
  openOverviews,
  type Sorted,
  sortImages,
} from './levels.ts';
import { hasCogLayout, noteOverviews } from './overviews.ts';
import { type Findings, findingsOf, refusal } from './reasons.ts';
import { TAG } from './tags.ts';
import { type MetadataItem, metadataItems } from './xml.ts';

export interface CogOptions {
  /** Replaces the file's CRS. */
  readonly crs?: string;
  /** Replaces the file's nodata. */
  readonly nodata?: number;
  /** Whether FILE.ovr and FILE.msk beside it are looked for; true unless said otherwise. */
  readonly siblings?: boolean;
  /** Decoded bytes that one block may take. */
  readonly blockBytesMax?: number;
  /** How its bytes are opened; as a file of this machine where absent. */
  readonly open?: (ref: BytesRef) => Bytes;
}

export interface CogSource extends RasterSource {
  /** Versions of the file and of the siblings it is served with: what an ETag must depend on. */
  readonly version: string;
}

export async function openCog(ref: BytesRef, options: CogOptions = {}): Promise<CogSource> {
  const findings = findingsOf(ref.href);
  const opened: Bytes[] = [];
  const tiffs: TiffReader[] = [];
  const open = async (which: BytesRef): Promise<TiffReader> => {
    const bytes = (options.open ?? openBytes)(which);
    opened.push(bytes);
    const tiff = await openTiff(bytes);
    tiffs.push(tiff);
    return tiff;
  };
  try {
    return await judge(open, opened, ref, options, findings);
  } catch (error) {
    for (const bytes of opened) bytes.close();
    throw error;
  } finally {
    for (const tiff of tiffs) tiff.forgetHead();
  }
}

type Opener = (ref: BytesRef) => Promise<TiffReader>;

async function judge(
  open: Opener,
  opened: readonly Bytes[],
  ref: BytesRef,
  options: CogOptions,
  findings: Findings,
): Promise<CogSource> {
  const [main, ...rest] = await imagesOf(await open(ref), findings);
  if (!main) throw refusal('tiff-empty', 'the file has no image', ref.href);
  const { directory } = main;
  const siblings = options.siblings === false ? NO_SIBLINGS : await siblingsOf(open, ref, findings);
  const levels = await levelsOf(main, sortImages(rest, false, findings), siblings, options, findings);
  const base = levels[0];
  if (!ref.remote && existsSync(`${ref.href}.aux.xml`))
    findings.note('tiff-aux-ignored', 'what FILE.aux.xml says is not looked at');
  if (directory.present.has(TAG.SubIfds)) findings.note('tiff-sub-ifds', 'images in SubIFDs are not looked at');
  const keys = geoKeysOf(directory);
  const crs = crsOf(keys, options.crs, findings);
  const transform = transformOf(directory, isPixelIsPoint(keys), findings);
  const width = one(directory, TAG.ImageWidth, 0);
  const height = one(directory, TAG.ImageLength, 0);
  const bounds = width > 0 && height > 0 && transform !== IDENTITY ? boundsOf(transform, width, height) : null;
  const items = metadataItems(directory.texts.get(TAG.GdalMetadata), findings);
  const dtype: DType = base?.format.dtype ?? 'uint8';
  const nodata = options.nodata ?? nodataOf(directory.texts.get(TAG.GdalNodata), dtype, findings);
  const palette = base ? paletteOf(directory, base.format, findings) : null;
  if (base) noteBase(base, nodata, findings);
  noteOverviews(levels, { palette: palette !== null, cogLayout: await hasCogLayout(main.tiff) }, findings);
  const located = lonLatOf(crs, bounds, findings);
  return {
    kind: 'raster',
    ref,
    version: [ref, ...siblings.refs].map(each => each.version).join('+'),
    title: null,
    description: descriptionOf(directory),
    crs: located.crs,
    bounds,
    lonLatBounds: located.lonLat,
    width,
    height,
    dtype,
    bands: base ? bandsOf(directory, base.format, items, verticalUnitOf(keys)) : [],
    transform,
    nodata,
    palette,
    premultipliedAlpha: isPremultiplied(directory),
    levels,
    metadata: metadataOf(items),
    crsKeys: crsKeysOf(directory, located.crs),
    residentBytes: residentOf(levels, opened.length),
    verdict: findings.verdict(),
    close: async () => {
      for (const bytes of opened) bytes.close();
    },
  };
}

async function imagesOf(tiff: TiffReader, findings: Findings): Promise<Image[]> {
  return (await readDirectories(tiff, findings)).map(directory => ({ tiff, directory }));
}

interface Siblings extends Sorted {
  readonly refs: readonly BytesRef[];
}

const NO_SIBLINGS: Siblings = { overviews: [], masks: [], refs: [] };

/** FILE.ovr holds overviews (and their masks), FILE.msk the mask, FILE.msk.ovr its overviews; all are TIFFs. */
async function siblingsOf(open: Opener, ref: BytesRef, findings: Findings): Promise<Siblings> {
  const refs: BytesRef[] = [];
  const overviews: Image[] = [];
  const masks: Image[] = [];
  for (const suffix of ['.ovr', '.msk', '.msk.ovr']) {
    const path = ref.href + suffix;
    if (!existsSync(path)) continue;
    const sibling = statRef(path);
    refs.push(sibling);
    const images = await imagesOf(await open(sibling), findings);
    if (suffix === '.ovr') {
      const sorted = sortImages(images, true, findings);
      overviews.push(...sorted.overviews);
      masks.push(...sorted.masks);
    } else {
      masks.push(...images);
    }
  }
  return { overviews, masks, refs };
}

/** Internal overviews and masks come before external ones, as in GDAL. Empty where the image itself cannot be read. */
async function levelsOf(
  main: Image,
  internal: Sorted,
  external: Siblings,
  options: CogOptions,
  findings: Findings,
): Promise<OpenLevel[]> {
  const max = options.blockBytesMax ?? BLOCK_BYTES_MAX;
  const width = one(main.directory, TAG.ImageWidth, 0);
  const height = one(main.directory, TAG.ImageLength, 0);
  const masks = [...internal.masks, ...external.masks];
  const mask = await openMask(masks, width, height, max, findings);
  const base = await openLevel(main, mask, max, findings);
  if (!base) return [];
  const overviews = internal.overviews.length > 0 ? internal.overviews : external.overviews;
  return [base, ...(await openOverviews(base, { overviews, masks }, max, findings))];
}

/** What is served right but could be served better. */
function noteBase(base: Level, nodata: number | null, findings: Findings): void {
  const { format, width, height } = base;
  warnOfLossyNodata(format, nodata, findings);
  if (format.layout === 'strip' && height > 512) {
    findings.note('tiff-strip-layout', `strips of ${width}×${format.blockHeight} instead of tiles`);
  }
  if (format.dtype === 'int64' || format.dtype === 'uint64') {
    findings.note('tiff-64-bit', 'integers beyond 2^53 lose precision');
  }
}

/** A CRS under which the bounds have no place on Earth is wrong or cannot be computed: then there is none. */
function lonLatOf(
  crs: string | null,
  bounds: BBox | null,
  findings: Findings,
): { crs: string | null; lonLat: BBox | null } {
  if (crs === null || bounds === null) return { crs, lonLat: null };
  try {
    const lonLat = degreesBeyondPoles(crs, bounds) ? null : transformBounds(crs, 'OGC:CRS84', bounds);
    if (!lonLat) findings.reason('tiff-outside-crs', `bounds ${bounds.join(', ')} have no place on Earth in ${crs}`);
    return { crs, lonLat };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    findings.reason('tiff-crs-unsupported', error.message);
    return { crs: null, lonLat: null };
  }
}

/** Grids about points reach half a pixel beyond the poles; ten degrees beyond, they are no degrees. */
function degreesBeyondPoles(crs: string, [, south, , north]: BBox): boolean {
  return isLonLat(crs) && (south < -100 || north > 100);
}

function metadataOf(items: readonly MetadataItem[]): Record<string, string> {
  return Object.fromEntries(
    items.filter(item => item.sample === null && !item.role).map(item => [item.name, item.text]),
  );
}

function residentOf(levels: readonly OpenLevel[], files: number): number {
  const tables = levels.reduce((sum, level) => {
    const mask = level.mask as OpenLevel | null;
    return sum + level.residentBytes + (mask?.residentBytes ?? 0) + (level.format.jpegTables?.length ?? 0);
  }, 0);
  return tables + levels.length * LEVEL_BYTES + files * FILE_BYTES;
}

/** Measured by thousands: the objects of a file with its bands, CRS and metadata, and of each of its levels. */
const FILE_BYTES = 4096;
const LEVEL_BYTES = 2048;

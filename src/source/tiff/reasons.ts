/** Why a TIFF is refused, or what an operator should know of it: stable codes, each with the command that mends it. */
import { basename } from 'node:path';
import { type Problem, problem } from '../../errors.ts';
import type { Reason, Verdict } from '../types.ts';

const TRANSLATE = 'gdal_translate -of COG -co COMPRESS=DEFLATE IN OUT.tif';
const EXPAND = 'gdal_translate -of COG -co COMPRESS=DEFLATE -expand rgb IN OUT.tif';
const WIDER =
  'gdal_translate -of COG -co COMPRESS=DEFLATE -ot UInt16 IN OUT.tif (Int16 or Float32 where the samples are such)';
const WARP = 'gdalwarp -of COG -co COMPRESS=DEFLATE -t_srs EPSG:3857 IN OUT.tif';
const ASSIGN = 'gdal_translate -of COG -co COMPRESS=DEFLATE -a_srs EPSG:CODE IN OUT.tif (or set `crs` on the layer)';
const AGAIN = 'copy or download the file again; its end is missing or it was damaged';

/** '' where nothing needs mending (notes). */
const REMEDIES = {
  'tiff-not-a-tiff': 'gdal_translate -of COG IN OUT.tif (if it is a raster at all)',
  'tiff-truncated': AGAIN,
  'tiff-ifd-invalid': AGAIN,
  'tiff-tag-invalid': TRANSLATE,
  'tiff-empty': '',
  'tiff-compression-unsupported': TRANSLATE,
  'tiff-old-jpeg': TRANSLATE,
  'tiff-lzw-old-style': TRANSLATE,
  'tiff-jpeg-12-bit': TRANSLATE,
  'tiff-photometric-unsupported': TRANSLATE,
  'tiff-predictor-on-integer': 'write the file again from its source: its predictor contradicts its sample type',
  'tiff-predictor-unsupported': TRANSLATE,
  'tiff-planar-invalid': 'write the file again from its source: PlanarConfiguration must be 1 or 2',
  'tiff-table-short': 'write the file again from its source: its block tables are shorter than its grid of blocks',
  'tiff-table-missing': 'write the file again from its source: it has no block tables',
  'tiff-offset-past-eof': AGAIN,
  'tiff-block-too-large': 'gdal_translate -of COG -co COMPRESS=DEFLATE -co BLOCKSIZE=512 IN OUT.tif',
  'tiff-too-many-bands': 'gdal_translate -of COG -co COMPRESS=DEFLATE -b 1 -b 2 -b 3 IN OUT.tif',
  'tiff-complex': 'gdal_calc.py -A IN --calc="numpy.abs(A)" --type=Float32 --outfile=OUT.tif',
  'tiff-bits-unsupported': WIDER,
  'tiff-mixed-types': TRANSLATE,
  'tiff-palette-invalid': EXPAND,
  'tiff-mask-unsupported': TRANSLATE,
  'tiff-no-crs': ASSIGN,
  'tiff-crs-unsupported': WARP,
  'tiff-no-georeference': 'gdal_translate -of COG -a_ullr MINX MAXY MAXX MINY -a_srs EPSG:CODE IN OUT.tif',
  'tiff-gcp-only': 'gdalwarp -of COG -t_srs EPSG:3857 IN OUT.tif (fits the ground control points)',
  'tiff-rpc-only': 'gdalwarp -rpc -of COG -t_srs EPSG:3857 IN OUT.tif',
  'tiff-outside-crs': ASSIGN,
  'tiff-strip-layout': TRANSLATE,
  'tiff-no-overviews': 'gdaladdo -r average IN',
  'tiff-few-overviews': 'gdaladdo -r average IN',
  'tiff-ifd-loop': TRANSLATE,
  'tiff-ifd-too-many': '',
  'tiff-sub-ifds': '',
  'tiff-pages-ignored': '',
  'tiff-overview-ignored': 'gdaladdo -clean IN && gdaladdo -r average IN',
  'tiff-nodata-ignored': 'gdal_edit.py -a_nodata VALUE IN',
  'tiff-metadata-ignored': '',
  'tiff-64-bit': '',
  'tiff-vertical-ignored': '',
  'tiff-aux-ignored': 'gdal_translate -of COG IN OUT.tif (takes what FILE.aux.xml says into the file)',
  'tiff-datum-assumed': '',
  'tiff-lossy-nodata': 'gdal_translate -of COG -co COMPRESS=JPEG IN OUT.tif (with a mask instead of nodata)',
  'tiff-min-is-white': '',
  'tiff-crs-note': '',
} as const;

export type TiffCode = keyof typeof REMEDIES;

function reasonOf(code: TiffCode, detail: string, href: string, line: string = REMEDIES[code]): Reason {
  const remedy = line.replace(/\bIN\b/g, () => `'${basename(href)}'`);
  return remedy === '' ? { code, detail } : { code, detail, remedy };
}

/** What was found while a file was judged; each code is told once. */
export interface Findings {
  reason(code: TiffCode, detail: string): void;
  /** `remedy` where it depends on the file; IN stands for its name. */
  note(code: TiffCode, detail: string, remedy?: string): void;
  verdict(): Verdict;
}

export function findingsOf(href: string): Findings {
  const reasons = new Map<string, Reason>();
  const notes = new Map<string, Reason>();
  const add = (into: Map<string, Reason>) => (code: TiffCode, detail: string, remedy?: string) => {
    if (!into.has(code)) into.set(code, reasonOf(code, detail, href, remedy));
  };
  return {
    reason: add(reasons),
    note: add(notes),
    verdict: () => ({ servable: reasons.size === 0, reasons: [...reasons.values()], notes: [...notes.values()] }),
  };
}

/** For what leaves nothing to describe: no source can be made of such a file at all. */
export function refusal(code: TiffCode, detail: string, href: string): Problem {
  return problem('layer-not-servable', `${href}: ${detail}`, { reasons: [reasonOf(code, detail, href)] });
}

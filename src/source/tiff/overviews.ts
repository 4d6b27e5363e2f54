/** Which coarser levels a file lacks, and the line that makes them. Read by people and by scripts: it must do what it says. */
import type { Level } from '../types.ts';
import type { TiffReader } from './ifd.ts';
import type { Findings } from './reasons.ts';

/** A coarsest level of more pixels a side than this lacks others. */
const LACKING_FROM = 2048;
/** The coarsest level that is wanted has at most so many. */
const COARSEST = 512;
/** Levels further apart than this lack one between them; a power of two each is usual, of four not rare. */
const GAP = 4.5;
/** What is nearer to a level than this is no other level. */
const NEAR = 1.5;

const CODECS: Readonly<Record<number, string>> = { 7: 'JPEG', 50001: 'WEBP' };

/** Full resolution pixels in one of theirs, an axis, finest first. Empty: nothing is missing. */
export function missingFactors(levels: readonly Level[]): number[] {
  if (levels.length === 0) return [];
  const { width, height } = levels[0];
  const longest = Math.max(width, height);
  const coarsest = levels[levels.length - 1];
  const factors = levels.map(level => width / level.width);
  const lacksEnd = Math.max(coarsest.width, coarsest.height) > LACKING_FROM;
  const missing: number[] = [];
  for (let i = 0; i < factors.length; i++) {
    const last = i === factors.length - 1;
    const next = last ? Number.POSITIVE_INFINITY : factors[i + 1];
    if (last ? !lacksEnd : next / factors[i] <= GAP) continue;
    for (let f = 2; f < next / NEAR && longest / (f / 2) > COARSEST; f *= 2) if (f > factors[i] * NEAR) missing.push(f);
  }
  return missing;
}

export interface OverviewFacts {
  readonly palette: boolean;
  /** Directories come before the data, which adding levels in place would undo: GDAL refuses to. */
  readonly cogLayout: boolean;
}

export function noteOverviews(
  levels: readonly Level[],
  { palette, cogLayout }: OverviewFacts,
  findings: Findings,
): void {
  const factors = missingFactors(levels);
  if (factors.length === 0) return;
  const [{ width, height, format, ref }] = levels;
  const some = levels.length > 1;
  const method = palette ? 'nearest' : 'average';
  const outside = cogLayout || (some && levels[1].ref.href !== ref.href);
  const add = outside
    ? `gdaladdo -ro --config COMPRESS_OVERVIEW DEFLATE -r ${method} IN ${factors.join(' ')}`
    : `gdaladdo -r ${method} IN ${factors.join(' ')}`;
  const codec = CODECS[format.compression] ?? 'DEFLATE';
  const anew = some ? ' -co OVERVIEWS=IGNORE_EXISTING' : '';
  const rewrite = `gdal_translate -of COG -co COMPRESS=${codec} -co OVERVIEW_RESAMPLING=${method.toUpperCase()}${anew} IN OUT.tif`;
  const which = `${factors.length === 1 ? 'level' : 'levels'} ${factors.join(', ')} ${factors.length === 1 ? 'is' : 'are'} missing`;
  findings.note(
    some ? 'tiff-few-overviews' : 'tiff-no-overviews',
    `${width}×${height} pixels with ${some ? 'too few overviews' : 'no overview'}: ${which}, so that far zooms are dear`,
    format.layout === 'strip' || ref.remote ? rewrite : add,
  );
}

/** GDAL writes after the header how it laid the file out, and marks it when somebody has changed that since. */
export async function hasCogLayout(tiff: TiffReader): Promise<boolean> {
  const offset = tiff.big ? 16 : 8;
  const view = await tiff.at(offset, Math.max(0, Math.min(512, tiff.bytes.ref.size - offset)));
  const text = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
  return (
    text.startsWith('GDAL_STRUCTURAL_METADATA_SIZE=') &&
    text.includes('LAYOUT=IFDS_BEFORE_DATA') &&
    !text.includes('KNOWN_INCOMPATIBLE_EDITION=YES')
  );
}

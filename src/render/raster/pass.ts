/**
 * Pictures that are in the file already: where the pixels asked for are one JPEG or WebP block of a level, as it is, the block
 * is the answer. It is neither decoded nor encoded again, so it also is what the file's maker saw.
 */
import { jpegFile } from '../../kernels/codecs/jpeg.ts';
import { webpFile } from '../../kernels/codecs/webp.ts';
import type { Cost, Job, Painted, TaskContext } from '../../plan.ts';
import { CONTENT_TYPES } from './encode.ts';
import type { GridRead } from './read.ts';
import type { BlockStore } from './store.ts';
import type { BandChoice, Derivation, ImageStyle, OutputGrid, PassJob } from './types.ts';

const JPEG = 7;
const WEBP = 50001;
/** What is put around a block's bytes at most, beside the shared tables. */
const WRAP = 64;

export interface PassPlan {
  readonly job: PassJob;
  readonly cost: Cost;
}

/** Null where the block must be decoded: for its colours, its mask or its place. */
export function planPass(
  grid: OutputGrid,
  choice: BandChoice,
  style: ImageStyle,
  derivation: Derivation,
  read: GridRead,
): PassPlan | null {
  const [part] = read.parts;
  if (!read.aligned || read.parts.length !== 1 || part.blocks.length !== 1 || part.mask !== null) return null;
  const { level, window, blocks } = part;
  const [block] = blocks;
  const { format } = level;
  const whole =
    format.layout === 'tile' &&
    window.width === grid.width &&
    window.height === grid.height &&
    format.blockWidth === grid.width &&
    format.blockHeight === grid.height;
  if (!whole || block.length === 0 || choice.nodata !== null) return null;
  if (derivation.derive !== null || !isPlain(style) || !showsAll(choice, style, format.samples)) return null;
  const codec = style.format === 'jpg' ? JPEG : style.format === 'webp' ? WEBP : 0;
  if (format.compression !== codec || format.planar !== 1 || format.bits !== 8) return null;
  // CMYK is no picture that a browser shows right.
  if (codec === JPEG && format.samples !== 1 && format.samples !== 3) return null;
  return passPlan({ task: 'raster', kind: 'pass', choice, level, block, format: style.format });
}

export function passPlan(job: PassJob): PassPlan {
  const { level, block } = job;
  const outputBytes = block.length + (level.format.jpegTables?.length ?? 0) + WRAP;
  return { job, cost: { inputBytes: block.length, decodedBytes: 0, outputBytes } };
}

function isPlain({ rescale, percentiles, table, map, formula, scales }: ImageStyle): boolean {
  return (
    rescale === null && percentiles === null && table === null && map === null && formula === null && scales === null
  );
}

/** All samples of the file in their order, an alpha last among them. */
function showsAll({ bands, alpha, premultiplied }: BandChoice, { returnMask }: ImageStyle, samples: number): boolean {
  if (!bands.every((band, i) => band === i)) return false;
  if (bands.length === samples) return alpha < 0 && samples !== 2 && samples !== 4;
  return alpha === samples - 1 && bands.length === samples - 1 && returnMask && !premultiplied;
}

export function isPass(job: Job): job is PassJob {
  return job.task === 'raster' && (job as Partial<PassJob>).kind === 'pass';
}

/**
 * The picture of a block, as a file: of its own memory, in `lent`, or where `encoded` is. `head`: jpegHead of its format, where that is
 * at hand. Errors: corrupt-data.
 */
export function pictureOf(
  { level, format }: PassJob,
  encoded: Uint8Array,
  head?: Uint8Array,
  lent?: Uint8Array,
): Uint8Array {
  return format === 'jpg' ? jpegFile(encoded, level.format, head, lent) : webpFile(encoded, level.format);
}

export async function paintPass(job: PassJob, store: BlockStore, context: TaskContext): Promise<Painted> {
  context.check();
  const made = await store.encoded(job.level, job.block, encoded => pictureOf(job, encoded));
  // What goes to another thread takes its whole buffer along.
  return passed(job, made.byteLength === made.buffer.byteLength ? made : made.slice(), 0);
}

export function passed({ block, format }: PassJob, body: Uint8Array, ms: number): Painted {
  return {
    body,
    contentType: CONTENT_TYPES[format],
    encoding: 'identity',
    headers: {},
    peakBytes: block.length + body.length,
    ms,
  };
}

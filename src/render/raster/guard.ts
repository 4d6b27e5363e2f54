/**
 * Files without overviews. What a picture decodes for each of its pixels is known from its plan: beyond the cap it is refused, and
 * where the levels of a shadow overview are used, it waits for them and takes their bytes along once it has its permit.
 */
import { problem } from '../../errors.ts';
import type { RasterLayer, Shadow } from '../../layers/types.ts';
import { type Chunk, type Cost, costBytes, type Job, type Plan } from '../../plan.ts';
import type { MosaicImageJob } from '../mosaic/types.ts';
import type { ImageJob, Part, RasterJob } from './types.ts';

/** Smaller pictures are taken to be of so many pixels: one block is always read, however little of it is shown. */
const PIXELS_MIN = 256 * 256;

export function guarded(layer: RasterLayer, plan: Plan): Plan {
  const job = plan.job as RasterJob | MosaicImageJob | null;
  if (job?.kind !== 'image') return plan;
  const cap = layer.options.maxReadAmplification;
  const parts = job.task === 'mosaic' ? (job as MosaicImageJob).members.flatMap(each => each.job.parts) : partsOf(job);
  const amplification = decodedPixels(parts) / Math.max(job.grid.width * job.grid.height, PIXELS_MIN);
  const told = { amplification: Math.round(amplification * 100) / 100, maxReadAmplification: cap ?? null };
  const explained = { ...plan, explain: { ...plan.explain, ...told } };
  if (cap !== undefined && amplification > cap)
    return { ...explained, before: () => Promise.reject(tooMuch(layer, told.amplification, cap)) };
  const { shadow, source } = layer;
  if (!shadow || job.task === 'mosaic' || !parts.some(part => part.level.index >= source.levels.length))
    return explained;
  return shadowed(explained, job as ImageJob, shadow, source.levels.length);
}

function partsOf({ parts, strips }: ImageJob): readonly Part[] {
  return strips ? strips.list.flatMap(strip => strip.parts) : parts;
}

/** Of blocks that several strips share, once: they are kept between them. */
function decodedPixels(parts: readonly Part[]): number {
  let sum = 0;
  // Nearly always it is one window, whose blocks are all different.
  const seen = parts.length > 1 ? new Set<string>() : null;
  for (const { level, blocks } of parts) {
    const { blockWidth, blockHeight, layout } = level.format;
    const [first] = blocks;
    for (const { column, row, plane } of blocks) {
      if (plane !== first.plane) continue;
      const key = seen && `${level.ref.href} ${level.index} ${column} ${row}`;
      if (key !== null && seen?.has(key)) continue;
      if (key !== null) seen?.add(key);
      const rows = layout === 'tile' ? blockHeight : Math.min(blockHeight, level.height - row * blockHeight);
      sum += blockWidth * rows;
    }
  }
  return sum;
}

function tooMuch({ id, verdict, mosaic }: RasterLayer, amplification: number, cap: number): Error {
  const remedy = verdict.notes.find(
    ({ code }) => code === 'tiff-no-overviews' || code === 'tiff-few-overviews',
  )?.remedy;
  const files = mosaic ? 'its files need' : 'the file needs';
  return problem(
    'read-amplification',
    `${id}: ${amplification} pixels would be decoded for each one shown, at most ${cap} may (maxReadAmplification): ${files} overviews`,
    { amplification, maxReadAmplification: cap, ...(remedy ? { remedy } : {}) },
  );
}

function shadowed(plan: Plan, job: ImageJob, shadow: Shadow, levels: number): Plan {
  const [part] = partsOf(job);
  const factor = shadow.factors[part.level.index - levels];
  return {
    ...plan,
    cost: withChunks(plan.cost, partsOf(job)),
    headers: { ...plan.headers, 'x-raster-level': 'shadow' },
    explain: { ...plan.explain, level: 'shadow', shadow: { factor, state: shadow.state, bytes: shadow.bytes } },
    before: signal => shadow.wanted(signal),
    load: () => loaded(job, shadow),
  };
}

/** All that goes along is held at once. */
function withChunks(cost: Cost, parts: readonly Part[]): Cost {
  const bytes = [...placesOf(parts).values()].reduce((sum, { length }) => sum + length, 0);
  return { ...cost, heldInputBytes: costBytes(cost) - cost.decodedBytes - cost.outputBytes + bytes };
}

interface Place {
  readonly length: number;
  uses: number;
}

function placesOf(parts: readonly Part[]): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const part of parts) {
    for (const { offset, length } of allOf(part)) {
      const place = places.get(offset);
      if (place) place.uses++;
      else places.set(offset, { length, uses: 1 });
    }
  }
  return places;
}

function allOf({ blocks, mask }: Part): Part['blocks'] {
  return mask ? [...blocks, ...mask.blocks] : blocks;
}

function loaded(job: ImageJob, shadow: Shadow): Job {
  const chunks = new Map<number, Chunk>();
  for (const [offset, { length, uses }] of placesOf(partsOf(job)))
    chunks.set(offset, { offset, data: shadow.copy(offset, length), uses });
  const filled = (part: Part): Part => {
    const own = allOf(part).map(({ offset }) => chunks.get(offset) as Chunk);
    return { ...part, level: { ...part.level, ref: { ...part.level.ref, chunks: own } } };
  };
  return {
    ...job,
    parts: job.parts.map(filled),
    strips: job.strips && {
      ...job.strips,
      list: job.strips.list.map(strip => ({ ...strip, parts: strip.parts.map(filled) })),
    },
    lent: [...chunks.values()].map(({ data }) => data.buffer),
  } as ImageJob;
}

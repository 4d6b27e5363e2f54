/** How much of their boxes the features of a layer fill, on average: what makes areas of the areas of boxes. */
import { Problem } from '../../errors.ts';
import { areaOf, areasInDegrees, boxArea } from '../../source/fgb/area.ts';
import { decodeFeature } from '../../source/fgb/feature.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { featureAt } from '../../source/fgb/query.ts';
import type { Rest } from './density.ts';

/** Features that are looked at, spread evenly over the file, and bytes of the largest. */
const FEATURES = 512;
const FEATURE_BYTES_MAX = 64 * 1024;
/** Of them at once: each may be a request to another server. */
const AT_ONCE = 8;

/** 0 to 1; 1 where no feature that is looked at has a box with an area. */
export async function fillOf(source: FgbSource, rest: Rest): Promise<number> {
  const degrees = areasInDegrees(source.crs as string);
  const looked = Math.min(FEATURES, source.count);
  let sum = 0;
  let features = 0;
  for (let i = 0; i < looked; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, looked - i) }, (_, k) => i + k);
    const shares = await Promise.all(
      some.map(async k => {
        await rest();
        return shareOf(source, Math.floor((k * source.count) / looked), degrees);
      }),
    );
    for (const share of shares) {
      if (share === null) continue;
      sum += share;
      features++;
    }
  }
  return features === 0 ? 1 : sum / features;
}

/** null where it has none. */
async function shareOf(source: FgbSource, ordinal: number, degrees: boolean): Promise<number | null> {
  const { offset, length, box } = await featureAt(source, ordinal);
  const around = boxArea(box[0], box[1], box[2], box[3], degrees);
  if (around === 0 || length > FEATURE_BYTES_MAX) return null;
  const area = await trueArea(source, offset, length);
  return area === null ? null : Math.min(1, area / around);
}

/** null where the feature is broken: who asks for it is told. */
async function trueArea(source: FgbSource, offset: number, length: number): Promise<number | null> {
  try {
    const { geometry } = decodeFeature(await source.bytes.read(offset, length), 0, source, new Set());
    return areaOf(geometry, source.crs as string);
  } catch (error) {
    if (error instanceof Problem && error.code === 'corrupt-data') return null;
    throw error;
  }
}

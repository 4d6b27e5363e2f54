/** What sessions ask permits for, and the figures behind it, measured over indexes of every shape. */
import type { Cost } from '../plan.ts';
import type { LayerRecord } from './layer.ts';

/** How often the bytes of all sessions one zoom of a layer's tiles may take while they are cut. */
export const SPLIT_FACTOR = 2;
/** The index while it is built, over the text: 1.6 for long lines to 30 for short ones across the world. */
const INDEX_FACTOR = 30;
/** JSON.parse of one feature, over its text. */
const PARSE_FACTOR = 12;

/** The largest feature parsed, and the index, which ends where its room does; it stands twice while it is first split. */
export function indexCost(bodyBytes: number, largestBytes: number, bytesMax: number): Cost {
  const indexBytes = Math.min(bodyBytes * INDEX_FACTOR, bytesMax * 2);
  return { inputBytes: 0, decodedBytes: indexBytes + largestBytes * PARSE_FACTOR, outputBytes: 0 };
}

/** Two zooms are held while a tile is cut; vt-pbf's objects and the body come on top. */
export function cutCost({ baseBytes, splitBytes }: LayerRecord): Cost {
  return { inputBytes: 0, decodedBytes: splitBytes * 2, outputBytes: Math.ceil(baseBytes / 4) };
}

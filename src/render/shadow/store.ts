/** A shadow overview in memory: blocks behind each other, their samples as the machine has them. */
import { typed } from '../../kernels/codecs/samples.ts';
import type { FetchedBlock } from '../../source/tiff/blocks.ts';
import { SHADOW_BLOCK, type ShadowLayout, type ShadowPart, sampleBytes, shadowFormat } from './layout.ts';

const BLOCK_PIXELS = SHADOW_BLOCK * SHADOW_BLOCK;

/** All samples of a level. */
export function partView(layout: ShadowLayout, part: ShadowPart, body: Uint8Array): FetchedBlock['data'] {
  const length = part.across * part.down * BLOCK_PIXELS * layout.samples * sampleBytes(layout);
  return typed(body.subarray(part.offset, part.offset + length), shadowFormat(layout));
}

/** Puts rows of a level where they belong. */
export function rowWriter(layout: ShadowLayout, part: ShadowPart, body: Uint8Array) {
  const { samples } = layout;
  const view = partView(layout, part, body);
  return (y: number, values: Float64Array, valid: Uint8Array): void => {
    const row = Math.floor(y / SHADOW_BLOCK) * part.across;
    const within = (y % SHADOW_BLOCK) * SHADOW_BLOCK;
    for (let column = 0; column < part.across; column++) {
      const at = (row + column) * BLOCK_PIXELS + within;
      const from = column * SHADOW_BLOCK;
      const to = Math.min(part.width, from + SHADOW_BLOCK);
      view.set(values.subarray(from * samples, to * samples), at * samples);
      if (part.maskOffset < 0) continue;
      for (let x = from; x < to; x++) body[part.maskOffset + at + x - from] = valid[x] === 0 ? 0 : 255;
    }
  };
}

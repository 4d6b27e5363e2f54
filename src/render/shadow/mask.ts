/** Which pixels of a rectangle count: by a mask in the file, one in the block, or the alpha beside the colours. */
import type { Bytes } from '../../io/bytes.ts';
import { decodeBlock } from '../../kernels/codecs/index.ts';
import { blockRows, type FetchedBlock, fetchBlock } from '../../source/tiff/blocks.ts';
import type { BlockTable, Rect } from '../raster/types.ts';

/** null: all of them. `alpha` holds the alpha as its sample of that index; the mask of the block comes before it. */
export function maskOf(
  block: FetchedBlock,
  alpha: FetchedBlock | null,
  index: number,
  { width, height }: Rect,
): Uint8Array | null {
  const by = block.mask ? { data: block.mask, samples: 1, from: 0 } : null;
  const chosen = by ?? (alpha && index >= 0 ? { data: alpha.data, samples: alpha.samples, from: index } : null);
  if (!chosen) return null;
  const valid = new Uint8Array(width * height);
  const { data, samples, from } = chosen;
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0, s = y * block.width * samples + from; x < width; x++, s += samples, p++) {
      valid[p] = data[s] > 0 ? 1 : 0;
    }
  }
  return valid;
}

export interface MaskReader {
  /** Of rectangles from the top down. */
  valid(rect: Rect): Promise<Uint8Array>;
}

/** `keeps`: its blocks are not those of the image, so that several rectangles want the same one. */
export function createMaskReader(table: BlockTable, file: Bytes, keeps: boolean): MaskReader {
  const { blockWidth, blockHeight } = table.level.format;
  const kept = new Map<number, FetchedBlock>();
  const blockAt = async (column: number, row: number): Promise<FetchedBlock> => {
    const index = row * table.columns + column;
    const block = kept.get(index) ?? (await readBlock(table, file, column, row, 0, 0));
    if (keeps) kept.set(index, block);
    return block;
  };
  return {
    async valid(rect) {
      const out = new Uint8Array(rect.width * rect.height);
      const first = Math.floor(rect.y / blockHeight);
      for (const index of kept.keys()) if (Math.floor(index / table.columns) < first) kept.delete(index);
      for (let row = first; row * blockHeight < rect.y + rect.height; row++) {
        for (let column = Math.floor(rect.x / blockWidth); column * blockWidth < rect.x + rect.width; column++)
          copyValid(await blockAt(column, row), column * blockWidth, row * blockHeight, rect, out);
      }
      return out;
    },
  };
}

function copyValid(
  { data, width, height, samples }: FetchedBlock,
  left: number,
  top: number,
  rect: Rect,
  out: Uint8Array,
) {
  const right = Math.min(left + width, rect.x + rect.width);
  const bottom = Math.min(top + height, rect.y + rect.height);
  for (let y = Math.max(top, rect.y); y < bottom; y++) {
    for (let x = Math.max(left, rect.x); x < right; x++)
      out[(y - rect.y) * rect.width + (x - rect.x)] = data[((y - top) * width + (x - left)) * samples] !== 0 ? 1 : 0;
  }
}

export async function readBlock(
  { level, columns, rows, offsets, lengths }: BlockTable,
  file: Bytes,
  column: number,
  row: number,
  plane: number,
  fill: number,
  encoded?: Uint8Array,
): Promise<FetchedBlock> {
  const at = (plane * rows + row) * columns + column;
  const place = { column, row, plane, offset: offsets[at], length: lengths[at] };
  const block = await fetchBlock(file, level, place, { fill, decode: decodeBlock, ...(encoded ? { encoded } : {}) });
  return { ...block, height: Math.min(block.height, blockRows(level, row)) };
}

/** What of labels is known before they are painted: what their layer is called, where the tile is in its matrix, what they take. */
import type { Cost } from '../../plan.ts';
import { rowFromTop, type TileCoord, type TileMatrixSet } from '../../tile.ts';
import { LABEL_SCRATCH_BYTES, LABEL_SCRATCH_SHARE, type LabelPlace, OUTPUT_SHARE } from './job.ts';

/** How the layer of labels of a layer is called. */
export function labelLayerId(id: string): string {
  return `${id}_labels`;
}

export function labelPlace(id: string, grid: TileMatrixSet, { z, x, y }: TileCoord): LabelPlace {
  const matrix = grid.matrices[z];
  const { originX, originY, resolution, tileWidth, tileHeight, matrixWidth, matrixHeight } = matrix;
  return {
    id: labelLayerId(id),
    originX,
    originY,
    spanX: resolution * tileWidth,
    spanY: resolution * tileHeight,
    cols: matrixWidth,
    rows: matrixHeight,
    col: x,
    row: rowFromTop(matrix, y),
    wraps: grid.wrapsX,
  };
}

/** Features that have labels: bytes that are read once more for them, and bytes of the features themselves. */
export interface Labelled {
  readonly inputBytes: number;
  readonly bytes: number;
}

/** What their labels add to the cost of the features; `largest`: bytes of the largest one. */
export function withLabels(cost: Cost, labelled: Labelled, largest: number): Cost {
  if (labelled.bytes === 0) return cost;
  // Runs are read once more, into another buffer; a label is at most what its feature is in the tile.
  const { heldInputBytes = cost.inputBytes } = cost;
  const outputBytes = Math.ceil(labelled.bytes * OUTPUT_SHARE) + 4096;
  return {
    ...cost,
    inputBytes: cost.inputBytes + labelled.inputBytes,
    decodedBytes: cost.decodedBytes + heldInputBytes + labelScratchBytes(largest) + 2 * outputBytes,
    outputBytes: cost.outputBytes + outputBytes,
  };
}

export function labelScratchBytes(largest: number): number {
  return LABEL_SCRATCH_BYTES + largest * LABEL_SCRATCH_SHARE;
}

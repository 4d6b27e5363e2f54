/** Scale denominators, cell sizes, and the zoom of WebMercatorQuad that has pixels of a size. */
import { MERCATOR_HALF } from '../tile.ts';

/** OGC's standardised rendering pixel. */
export const PIXEL_METRES = 0.00028;

/** `metres`: the side of a cell. */
export function zoomOf(metres: number): number {
  return Math.max(0, Math.round(Math.log2(MERCATOR_HALF / 128 / metres)));
}

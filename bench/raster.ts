/**
 * Rasters beside MapServer and titiler: the same COGs, uncached, with --data the folder that holds bench-rgb.tif and its
 * like. Options in peers/run.ts; the figures that are spoken of are of --connections 16 --requests 900.
 */
import { RASTER_CASES } from './peers/cases.ts';
import { runPeers } from './peers/run.ts';

await runPeers(RASTER_CASES);

/** Tiles and windows of vectors and rasters beside MapServer and titiler; options in peers/run.ts. */
import { CASES } from './peers/cases.ts';
import { runPeers } from './peers/run.ts';

await runPeers(CASES);

// AssemblyScript.
/**
 * The one memory of an instance, laid out by hand and never grown: what does not fit is painted by the slow path. Bytes from 0;
 * the first 64 KiB are left to the compiler. index.ts tells the caller what he needs of it.
 */

/** Columns of the layer: see tags.ts. 16 bytes each. */
export const COLUMNS: usize = 0x10000;
export const COLUMNS_MAX: i32 = 1024;
/** Where each feature of a run begins in it, its bytes, and its id. */
export const OFFSETS: usize = 0x14000;
export const LENGTHS: usize = 0x18000;
export const IDS: usize = 0x1c000;
export const RUN_FEATURES_MAX: i32 = 4096;
/** Points of the part at hand, as doubles: projected, and two that clipping goes to and fro between. */
export const POINTS: usize = 0x24000;
export const CLIP_A: usize = 0x38000;
export const CLIP_B: usize = 0x4c000;
/** The same rounded, and their marks for simplifying. */
export const INTS: usize = 0x60000;
export const KEEP: usize = 0x6a000;
export const STACK: usize = 0x6c000;
/** Points of a part; clipping leaves at most 5.1 times as many, and these many are room for them. */
export const PART_POINTS_MAX: i32 = 1000;
/** A feature's commands and tags. */
export const COMMANDS: usize = 0x78000;
export const COMMANDS_BYTES: i32 = 0x10000;
export const TAGS: usize = 0x88000;
export const TAGS_BYTES: i32 = 0x8000;
/** Values of the layer, one behind the other, where each ends, its hash, and the slots that find it by that. */
export const VALUE_ENDS: usize = 0x90000;
export const VALUE_HASHES: usize = 0xb0000;
export const VALUES_MAX: i32 = 0x8000;
export const SLOTS: usize = 0xd0000;
export const VALUES: usize = 0x110000;
export const VALUES_BYTES: i32 = 0x100000;
/** Bytes of features as they lie in the file, and the layer that is written. */
export const RUN: usize = 0x210000;
export const RUN_BYTES: i32 = 0xa0000;
export const OUT: usize = 0x2b0000;
export const OUT_BYTES: i32 = 0x300000;

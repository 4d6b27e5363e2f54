/** CQL2 (OGC 21-065r2) in and out. */
export type { At, FilterLimits, Node } from './ast.ts';
export { parseJson } from './json.ts';
export { toJson, toText } from './print.ts';
export { parseText } from './text.ts';

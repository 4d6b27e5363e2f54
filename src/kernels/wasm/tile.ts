/** The fast path of vector tiles in WebAssembly: wasm/tile/index.ts says what it does, wasm/tile/memory.ts where things lie. */
import { startModule } from './load.ts';
import { CODE } from './tile-code.ts';

/** Addresses and sizes in its memory, of wasm/tile/memory.ts. */
const PLACES = [
  'COLUMNS',
  'COLUMNS_MAX',
  'OFFSETS',
  'LENGTHS',
  'IDS',
  'RUN_FEATURES_MAX',
  'COMMANDS',
  'COMMANDS_BYTES',
  'RUN',
  'RUN_BYTES',
  'OUT',
  'OUT_BYTES',
] as const;

export type TilePlaces = Readonly<Record<(typeof PLACES)[number], number>>;

export interface TileWasm {
  readonly memory: { readonly buffer: ArrayBuffer };
  setAffine(kx: number, bx: number, ky: number, by: number): void;
  setMercator(
    kx: number,
    bx: number,
    middle: number,
    scale: number,
    c0: number,
    c1: number,
    c2: number,
    c3: number,
    c4: number,
  ): void;
  setTile(geometryType: number, buffer: number, extent: number, pixel: number, world: number): void;
  setSimplify(tolerance: number, buffer: number, extent: number): void;
  begin(columns: number, idColumn: number, idsOfColumn: boolean): void;
  /** Features first … n − 1; answers with the first that is not done, and reason() says why. */
  paint(first: number, n: number): number;
  reason(): number;
  tag(i: number): number;
  write(i: number, type: number, bytes: number): number;
  finish(): number;
  outBytes(): number;
  largestPart(): number;
  keyCount(): number;
  valueBytes(): number;
  /** Raw deflate of n bytes at `from` to `out`, between which and the end of memory n + n / 1024 + 64 are free. */
  deflate(from: number, n: number, out: number): number;
}

/** `row` projects a latitude that the polynomial of a tile does not reach. */
export function loadTileWasm(row: (lat: number) => number): { readonly wasm: TileWasm; readonly places: TilePlaces } {
  const wasm = startModule<TileWasm & Readonly<Record<keyof TilePlaces, { readonly value: number }>>>(CODE, {
    env: { row },
  });
  return { wasm, places: Object.fromEntries(PLACES.map(name => [name, wasm[name].value])) as TilePlaces };
}

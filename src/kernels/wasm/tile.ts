/** The fast path of vector tiles in WebAssembly: wasm/tile/index.ts says what it does, wasm/tile/memory.ts where things lie. */
import { Buffer } from 'node:buffer';
import { CODE } from './tile-code.ts';

/** What of the global is used: its types are the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** Of wasm/tile/memory.ts. */
export const MEMORY = {
  columns: 0x10000,
  columnsMax: 1024,
  offsets: 0x14000,
  lengths: 0x18000,
  ids: 0x1c000,
  runFeatures: 4096,
  commands: 0x78000,
  commandsBytes: 0x10000,
  run: 0x210000,
  runBytes: 0xa0000,
  out: 0x2b0000,
  outBytes: 0x300000,
} as const;

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

/** An instance with a memory of its own; `row` projects a latitude that its polynomial does not reach. */
export function loadTileWasm(row: (lat: number) => number): TileWasm {
  const module = new WebAssembly.Module(Buffer.from(CODE, 'base64'));
  return new WebAssembly.Instance(module, { env: { row } }).exports as TileWasm;
}

/** vt-pbf ships no types. */
declare module 'vt-pbf' {
  interface VtPbf {
    /** A tile of the vector-tile-js shape, as uncompressed MVT. */
    fromVectorTileJs(tile: { readonly layers: Readonly<Record<string, unknown>> }): Uint8Array;
  }
  const vtpbf: VtPbf;
  export default vtpbf;
}

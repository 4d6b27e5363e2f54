/** vt-pbf ships no types. */
declare module 'vt-pbf' {
  /** Both answer with uncompressed MVT: from geojson-vt's tiles, and from anything of vector-tile-js's shape. */
  interface VtPbf {
    fromGeojsonVt(layers: Readonly<Record<string, unknown>>, options: { version: number; extent: number }): Uint8Array;
    fromVectorTileJs(tile: { readonly layers: Readonly<Record<string, unknown>> }): Uint8Array;
  }
  const vtpbf: VtPbf;
  export default vtpbf;
}

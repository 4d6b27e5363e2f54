/** Layers and places for the examples: out of the catalogue, so that what the page offers to try is there. */
import type { Catalogue, Layer, RasterLayer, VectorLayer } from '../../layers/types.ts';
import { layerColumns } from '../../render/columns.ts';
import {
  type BBox,
  intersection,
  latToMercator,
  lonToMercator,
  MERCATOR_HALF,
  MERCATOR_MAX_LAT,
  type TileCoord,
} from '../../tile.ts';
import type { Samples } from './types.ts';

const WORLD: BBox = [-180, -60, 180, 75];
/** Where a catalogue has none of a kind the examples name the demo's. */
const NO_VECTOR = 'countries';
const NO_RASTER = 'elevation';
const NO_CLUSTERED = { layer: 'places', id: 244 };
/** Sides of the bbox and the window in the examples, as a share of the layer’s. */
const BOX = 1 / 4;
const WINDOW = 1 / 16;

export function samplesOf(catalogue: Catalogue): Samples {
  const layers = catalogue.list().filter(layer => layer.verdict.servable);
  const vector = layers.find((layer): layer is VectorLayer => layer.kind === 'vector');
  const raster = layers.find((layer): layer is RasterLayer => layer.kind === 'raster');
  const drawn = vector ?? raster;
  const vectorBox = placeOf(vector);
  const rasterBox = placeOf(raster);
  const [lon, lat] = centre(rasterBox);
  return {
    layer: drawn?.id ?? NO_VECTOR,
    tile: tileAt(centre(placeOf(drawn)), drawn?.minzoom ?? 0),
    gridTile: degreesTileAt(centre(placeOf(drawn)), Math.max(0, (drawn?.minzoom ?? 0) - 1)),
    format: drawn?.kind === 'raster' ? 'png' : 'mvt',
    vector: vector?.id ?? NO_VECTOR,
    vectorBBox: windowAt(vectorBox, BOX),
    columns: vector ? layerColumns(vector).map(({ name }) => name) : ['name'],
    raster: raster?.id ?? NO_RASTER,
    rasterTile: tileAt([lon, lat], raster?.minzoom ?? 0),
    rasterBBox: windowAt(rasterBox, WINDOW),
    rasterPoint: [lon, lat],
    clustered: clusteredOf(layers),
  };
}

function clusteredOf(layers: readonly Layer[]): Samples['clustered'] {
  const points = layers.find(
    (layer): layer is VectorLayer => layer.kind === 'vector' && Boolean(layer.options.cluster),
  );
  return points ? { layer: points.id, id: points.source.count + 1 } : NO_CLUSTERED;
}

/** What of the layer is on the map. Across the antimeridian, unknown or beyond the world: the world will do. */
function placeOf(layer: Layer | undefined): BBox {
  const box = layer?.lonLatBounds;
  const seen = box && intersection(box, [-180, -MERCATOR_MAX_LAT, 180, MERCATOR_MAX_LAT]);
  return seen && seen[0] < seen[2] && seen[1] < seen[3] ? seen : WORLD;
}

function centre([w, s, e, n]: BBox): [number, number] {
  return [short((w + e) / 2, e - w), short((s + n) / 2, n - s)];
}

/** About the middle, so large a share of a side. */
function windowAt([w, s, e, n]: BBox, share: number): BBox {
  const [lon, lat] = centre([w, s, e, n]);
  const dx = ((e - w) * share) / 2;
  const dy = ((n - s) * share) / 2;
  return [short(lon - dx, e - w), short(lat - dy, n - s), short(lon + dx, e - w), short(lat + dy, n - s)];
}

function tileAt([lon, lat]: readonly [number, number], z: number): TileCoord {
  const at = (metres: number) =>
    Math.min(2 ** z - 1, Math.floor(((metres + MERCATOR_HALF) / (2 * MERCATOR_HALF)) * 2 ** z));
  return { z, x: at(lonToMercator(lon)), y: at(-latToMercator(lat)) };
}

/** Matrix z of WorldCRS84Quad, whose pixels are those of zoom z + 1. */
function degreesTileAt([lon, lat]: readonly [number, number], z: number): TileCoord {
  const at = (degrees: number, tiles: number) => Math.min(tiles - 1, Math.floor((degrees / 180) * 2 ** z));
  return { z, x: at(lon + 180, 2 ** (z + 1)), y: at(90 - lat, 2 ** z) };
}

/** Four decimals of a world, more of a field: a millionth of the side is left of it. */
function short(degrees: number, side: number): number {
  const unit = 10 ** Math.min(12, 6 - Math.floor(Math.log10(side)));
  return Math.round(degrees * unit) / unit;
}

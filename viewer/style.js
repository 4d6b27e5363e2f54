/** Pure: from a layer of the catalogue and the choices made for it to MapLibre sources and style layers. */

/** Distinct on dark and on light ground, and told apart with the common colour vision deficiencies. */
export const PALETTE = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#ee8866', '#44bb99'];

const MERCATOR_MAX_LAT = 85.0511;

/** From below to above; a layer is inserted under the first style layer of a higher rank. */
const RANKS = { raster: 0, fill: 1, line: 2, circle: 3, symbol: 4 };

export function colourOf(index) {
  return PALETTE[index % PALETTE.length];
}

export function isRaster(info) {
  return info.kind === 'raster';
}

/** 'Polygon', 'MultiLineString', 'Unknown'… → which of the three paintings may be needed. */
export function paintings(geometry) {
  const name = String(geometry ?? 'Unknown').toLowerCase();
  if (name.includes('polygon') || name.includes('surface') || name === 'tin' || name === 'triangle')
    return ['fill', 'line'];
  if (name.includes('line') || name.includes('curve') || name.includes('string')) return ['line'];
  if (name.includes('point')) return ['circle'];
  return ['fill', 'line', 'circle'];
}

export function sourceId(info) {
  return `layer:${info.id}`;
}

export function styleLayerId(info, painting) {
  return `${sourceId(info)}:${painting}`;
}

export function rankOf(styleId) {
  return RANKS[styleId.slice(styleId.lastIndexOf(':') + 1)] ?? -1;
}

/** Bounds a MapLibre source or fitBounds accepts, or null where the layer has none or crosses the antimeridian. */
export function usableBounds(bounds) {
  if (!Array.isArray(bounds) || bounds.length !== 4 || !bounds.every(Number.isFinite)) return null;
  const [west, south, east, north] = bounds;
  if (west > east || south > north) return null;
  const clamp = lat => Math.max(-MERCATOR_MAX_LAT, Math.min(MERCATOR_MAX_LAT, lat));
  return [Math.max(-180, west), clamp(south), Math.min(180, east), clamp(north)];
}

function zooms(info) {
  return { minzoom: Math.max(0, info.minzoom ?? 0), maxzoom: Math.min(24, info.maxzoom ?? 22) };
}

function withBounds(info, source) {
  const bounds = usableBounds(info.bounds);
  return bounds === null ? source : { ...source, bounds };
}

export function vectorTiles(info) {
  return `tiles/${encodeURIComponent(info.id)}/{z}/{x}/{y}.mvt`;
}

export function rasterTiles(info, choice) {
  const query = new URLSearchParams();
  if (choice.rescale) query.set('rescale', choice.rescale.join(','));
  if (choice.colormap) query.set('colormap_name', choice.colormap);
  const text = query.toString().replaceAll('%2C', ',');
  return `tiles/${encodeURIComponent(info.id)}/{z}/{x}/{y}@2x.png${text && `?${text}`}`;
}

/** `toUrl` makes a path absolute; on dense screens one 512 px tile covers 256 CSS pixels, else 512. */
export function sourceOf(info, choice, { toUrl, pixelRatio }) {
  if (!isRaster(info)) return withBounds(info, { type: 'vector', tiles: [toUrl(vectorTiles(info))], ...zooms(info) });
  const tileSize = pixelRatio > 1 ? 256 : 512;
  return withBounds(info, { type: 'raster', tiles: [toUrl(rasterTiles(info, choice))], tileSize, ...zooms(info) });
}

const selected = (yes, no) => ['case', ['boolean', ['feature-state', 'selected'], false], yes, no];
const byZoom = (...stops) => ['interpolate', ['linear'], ['zoom'], ...stops];

function fill(colour, opacity) {
  return { 'fill-color': colour, 'fill-opacity': selected(opacity * 0.7, opacity * 0.35) };
}

function line(colour, opacity) {
  return {
    'line-color': colour,
    'line-opacity': opacity,
    'line-width': byZoom(2, selected(2.5, 0.8), 10, selected(4, 1.6), 16, selected(6, 3)),
  };
}

function circle(colour, opacity, ground) {
  return {
    'circle-color': colour,
    'circle-opacity': opacity,
    'circle-radius': byZoom(1, selected(5, 2.2), 8, selected(7, 4), 14, selected(9, 6)),
    'circle-stroke-color': ground,
    'circle-stroke-opacity': opacity,
    'circle-stroke-width': byZoom(2, 0.4, 10, 1.2),
  };
}

/** Read on any colour: the ground around the letters, the layer's colour would be lost on itself. */
function symbol(_colour, opacity, ground) {
  const dark = Number.parseInt(ground.slice(1, 3), 16) < 128;
  return {
    'text-color': dark ? '#e9eef1' : '#14191d',
    'text-opacity': opacity,
    'text-halo-color': ground,
    'text-halo-width': 1.2,
  };
}

/** Which attribute names a feature: one that says so, else the first that is text; null where there is none. */
export function nameField(fields) {
  const texts = Object.keys(fields ?? {}).filter(name => fields[name] === 'string');
  const named = ['name', 'title', 'label'].map(wanted => texts.find(text => text.toLowerCase() === wanted));
  return named.find(Boolean) ?? texts[0] ?? null;
}

const PAINTS = { fill, line, circle, symbol };
/** Lines are drawn for polygons too (their outline), circles only for points. */
const FILTERS = {
  fill: ['==', ['geometry-type'], 'Polygon'],
  line: ['!=', ['geometry-type'], 'Point'],
  circle: ['==', ['geometry-type'], 'Point'],
};

export function paintOf(painting, choice, ground) {
  if (painting === 'raster') return { 'raster-opacity': choice.opacity, 'raster-fade-duration': 150 };
  return PAINTS[painting](choice.colour, choice.opacity, ground);
}

export function paintingsOf(info) {
  if (isRaster(info)) return ['raster'];
  const named = info.labels && nameField(info.fields) !== null;
  return named ? [...paintings(info.geometry), 'symbol'] : paintings(info.geometry);
}

const LAYOUTS = {
  line: () => ({ 'line-join': 'round', 'line-cap': 'round' }),
  symbol: info => ({
    'text-field': ['to-string', ['get', nameField(info.fields)]],
    'text-size': 12,
    'text-max-width': 8,
  }),
};

function sourceLayerOf(info, painting) {
  if (painting === 'raster') return {};
  return { 'source-layer': painting === 'symbol' ? info.labels : info.id };
}

export function styleLayersOf(info, choice, ground) {
  return paintingsOf(info).map(painting => ({
    id: styleLayerId(info, painting),
    type: painting,
    source: sourceId(info),
    ...sourceLayerOf(info, painting),
    ...(painting in FILTERS ? { filter: FILTERS[painting] } : {}),
    ...(painting in LAYOUTS ? { layout: LAYOUTS[painting](info) } : {}),
    paint: paintOf(painting, choice, ground),
  }));
}

/** What shows when the URL says nothing: one raster (colour before grey) under the first few vector layers. */
export function firstChoice(layers) {
  const rasters = layers.filter(isRaster).sort((a, b) => (b.bands?.length ?? 0) - (a.bands?.length ?? 0));
  const vectors = layers.filter(info => !isRaster(info));
  return [...rasters.slice(0, 1), ...vectors.slice(0, vectors.length > 6 ? 1 : 3)].map(info => info.id);
}

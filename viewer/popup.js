import { getJson } from './api.js';
import { element } from './dom.js';
import { Popup } from './maplibre-gl.mjs';
import { isRaster, sourceId } from './style.js';

const FEATURES_MAX = 8;
const REACH_PX = 4;

function shownValue(value) {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function attributeTable(properties) {
  const rows = Object.entries(properties).map(([name, value]) =>
    element('tr', {}, element('th', { scope: 'row', text: name }), element('td', { text: shownValue(value) })),
  );
  return rows.length > 0
    ? element('table', {}, element('tbody', {}, ...rows))
    : element('p', { text: 'No attributes' });
}

function featureSection(feature, title) {
  const name = feature.id === undefined ? title : `${title} · ${feature.id}`;
  return element('section', {}, element('h3', { text: name }), attributeTable(feature.properties));
}

/** A feature drawn as fill and as outline, or in two tiles, is one feature. */
export function distinct(features) {
  const seen = new Set();
  return features.filter(feature => {
    const key = `${feature.source}\n${feature.id ?? JSON.stringify(feature.properties)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function fillValues(body, reply) {
  const names = reply.band_names ?? reply.values.map((_, index) => `b${index + 1}`);
  body.replaceChildren(attributeTable(Object.fromEntries(reply.values.map((value, index) => [names[index], value]))));
}

function valueSection(info, { lng, lat }, signal) {
  const body = element('div', { class: 'values', text: '…' });
  const path = `cog/point/${lng.toFixed(6)},${lat.toFixed(6)}?url=${encodeURIComponent(info.id)}`;
  getJson(path, { signal })
    .then(reply => fillValues(body, reply))
    .catch(error => {
      if (error.name !== 'AbortError') body.textContent = error.message;
    });
  return element('section', {}, element('h3', { text: info.title ?? info.id }), body);
}

function within(bounds, { lng, lat }) {
  return !bounds || (lng >= bounds[0] && lat >= bounds[1] && lng <= bounds[2] && lat <= bounds[3]);
}

/** Click to inspect: attributes of the features under the pointer, then values of the rasters there. */
export function createInspector(map, catalogue) {
  const popup = new Popup({ maxWidth: '340px', closeOnClick: false, className: 'inspect' });
  let marked = [];
  let abort = new AbortController();

  function mark(features) {
    for (const state of marked) if (map.getSource(state.source)) map.removeFeatureState(state, 'selected');
    marked = features
      .filter(feature => feature.id !== undefined)
      .map(({ source, sourceLayer, id }) => ({ source, sourceLayer, id }));
    for (const state of marked) map.setFeatureState(state, { selected: true });
  }

  function featuresAt({ x, y }) {
    const layers = catalogue.styleLayersShown();
    if (layers.length === 0) return [];
    const reach = [
      [x - REACH_PX, y - REACH_PX],
      [x + REACH_PX, y + REACH_PX],
    ];
    return distinct(map.queryRenderedFeatures(reach, { layers })).slice(0, FEATURES_MAX);
  }

  function inspect({ point, lngLat }) {
    abort.abort();
    abort = new AbortController();
    const features = featuresAt(point);
    const place = lngLat.wrap();
    const shown = catalogue.shown();
    const titles = new Map(shown.map(info => [sourceId(info), info.title ?? info.id]));
    const rasters = shown.filter(info => isRaster(info) && within(info.bounds, place));
    mark(features);
    if (features.length + rasters.length === 0) return popup.remove();
    const sections = [
      ...features.map(feature => featureSection(feature, titles.get(feature.source) ?? feature.sourceLayer)),
      ...rasters.map(info => valueSection(info, place, abort.signal)),
    ];
    const where = element('p', { class: 'where', text: `${place.lat.toFixed(5)}, ${place.lng.toFixed(5)}` });
    popup
      .setLngLat(lngLat)
      .setDOMContent(element('div', { class: 'sections' }, ...sections, where))
      .addTo(map);
  }

  popup.on('close', () => {
    abort.abort();
    mark([]);
  });
  /** Without a pointer: Enter looks at the middle of the map, Escape puts the answer away. */
  function inspectByKey(event) {
    if (event.key === 'Escape') popup.remove();
    if (event.key !== 'Enter') return;
    // The popup takes the focus to its close button, which this same key press would then press.
    event.preventDefault();
    const lngLat = map.getCenter();
    inspect({ point: map.project(lngLat), lngLat });
  }

  map.on('click', inspect);
  map.getCanvas().addEventListener('keydown', inspectByKey);
  map.on('mousemove', ({ point }) => {
    map.getCanvas().style.cursor = featuresAt(point).length > 0 ? 'pointer' : '';
  });
}

/** The page's composition root: map, catalogue, panel, inspector, memory gauge. */

import { fromMapError, getJson } from './api.js';
import { createCatalogue } from './catalogue.js';
import {
  AttributionControl,
  LngLatBounds,
  Map as MapLibreMap,
  NavigationControl,
  ScaleControl,
} from './maplibre-gl.mjs';
import { startMemoryGauge } from './memory.js';
import { drawPanel, wirePanel } from './panel.js';
import { createInspector } from './popup.js';
import { usableBounds } from './style.js';
import { createToasts } from './toast.js';

const GROUNDS = { light: '#e9eef1', dark: '#14191d' };
const dark = matchMedia('(prefers-color-scheme: dark)');
const ground = () => (dark.matches ? GROUNDS.dark : GROUNDS.light);

function createMap() {
  const map = new MapLibreMap({
    container: 'map',
    hash: 'map',
    style: {
      version: 8,
      sources: {},
      layers: [{ id: 'ground', type: 'background', paint: { 'background-color': ground() } }],
    },
    center: [0, 20],
    zoom: 1.2,
    attributionControl: false,
    canvasContextAttributes: { preserveDrawingBuffer: new URLSearchParams(location.search).has('still') },
  });
  map.addControl(new NavigationControl({ visualizePitch: true }), 'top-right');
  map.addControl(new ScaleControl({ maxWidth: 120 }), 'bottom-right');
  map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
  return map;
}

/** Room for the panel beside the map where the window is wide enough for both. */
function padding() {
  return innerWidth > 720 ? { top: 40, right: 60, bottom: 40, left: 340 } : 30;
}

/** What spans the world is shown where people live: in Mercator its polar ends would take half of the page. */
const INHABITED = { south: -58, north: 76 };

function fitted([west, south, east, north]) {
  if (north - south < INHABITED.north - INHABITED.south) return [west, south, east, north];
  return [west, Math.max(south, INHABITED.south), east, Math.min(north, INHABITED.north)];
}

function fitTo(map, infos) {
  const bounds = new LngLatBounds();
  for (const box of infos.map(info => usableBounds(info.bounds))) {
    if (box === null) continue;
    const [west, south, east, north] = fitted(box);
    bounds.extend([west, south]).extend([east, north]);
  }
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: padding(), duration: 500, maxZoom: 17 });
}

function reportErrors(map, { toasts, catalogue }) {
  map.on('error', async event => {
    const error = await fromMapError(event.error);
    if (error?.name === 'AbortError') return;
    toasts.error(error);
    if (error?.status === 503 && event.sourceId) catalogue.reloadSoon(event.sourceId);
  });
}

/** Colour map names are a convenience: where the server has no such list, the page goes without. */
async function colormapNames() {
  try {
    const { colorMaps } = await getJson('cog/colorMaps');
    return colorMaps;
  } catch {
    return [];
  }
}

async function start() {
  const hadPlace = new URLSearchParams(location.hash.slice(1)).has('map');
  const map = createMap();
  const toasts = createToasts();
  const catalogue = createCatalogue(map, { ground, report: toasts.error });
  reportErrors(map, { toasts, catalogue });
  const loaded = new Promise(done => map.once('load', done));
  const ready = Promise.all([loaded, colormapNames()]).then(async ([, colormaps]) => {
    const context = { catalogue, toasts, colormaps, fit: info => fitTo(map, [info]) };
    const reload = async () => drawPanel(await catalogue.load(), context);
    wirePanel({ reload: () => reload().catch(toasts.error) });
    createInspector(map, catalogue);
    await reload();
    if (!hadPlace) fitTo(map, catalogue.shown());
  });
  ready.catch(toasts.error);
  dark.addEventListener('change', () => {
    map.setPaintProperty('ground', 'background-color', ground());
    catalogue.repaintAll();
  });
  startMemoryGauge();
  window.plimsoll = { map, ready, catalogue };
}

start();

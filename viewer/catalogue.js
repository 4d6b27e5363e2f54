import { absolute, getJson } from './api.js';
import {
  colourOf,
  firstChoice,
  isRaster,
  paintingsOf,
  paintOf,
  rankOf,
  rasterTiles,
  sourceId,
  sourceOf,
  styleLayerId,
  styleLayersOf,
} from './style.js';

const RELOAD_MS = 2_500;
const RELOADS_MAX = 5;

/** MapLibre decodes the whole hash whenever the map moves, so percent signs do not last there. */
function toHash(id) {
  return encodeURIComponent(id).replaceAll('~', '~7E').replaceAll('%', '~');
}

function fromHash(text) {
  try {
    return decodeURIComponent(text.replaceAll('~', '%'));
  } catch {
    return text;
  }
}

function parseRescale(value) {
  const pair = Array.isArray(value?.[0]) ? value[0] : value;
  return Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite) ? [...pair] : null;
}

/** titiler's statistics, an object by band: from the lowest 2nd to the highest 98th percentile is a fair stretch. */
export async function stretchOf(info) {
  const bands = Object.values(await getJson(`cog/statistics?max_size=1024&url=${encodeURIComponent(info.id)}`));
  const low = Math.min(...bands.map(band => band.percentile_2 ?? band.min));
  const high = Math.max(...bands.map(band => band.percentile_98 ?? band.max));
  if (!Number.isFinite(low) || !Number.isFinite(high)) throw new Error(`${info.id} has no values to stretch`);
  return [low, high > low ? high : low + 1].map(value => Number(value.toPrecision(6)));
}

/** Layers and the choices made for them; the only module that adds to or takes from the map. */
export function createCatalogue(map, { ground, report }) {
  const layers = new Map();
  const choices = new Map();
  const reloads = new Map();

  function choiceOf(id) {
    return choices.get(id);
  }

  function freshChoice(info, index) {
    const opacity = 1;
    return {
      visible: false,
      opacity,
      colour: colourOf(index),
      rescale: parseRescale(info.rescale),
      colormap: info.colormap_name ?? '',
    };
  }

  function insertBefore(styleId) {
    return map.getLayersOrder().find(id => rankOf(id) > rankOf(styleId));
  }

  function add(info) {
    const choice = choices.get(info.id);
    const id = sourceId(info);
    if (!map.getSource(id))
      map.addSource(id, sourceOf(info, choice, { toUrl: absolute, pixelRatio: devicePixelRatio }));
    for (const layer of styleLayersOf(info, choice, ground())) {
      if (!map.getLayer(layer.id)) map.addLayer(layer, insertBefore(layer.id));
    }
  }

  function remove(info) {
    for (const painting of paintingsOf(info)) {
      const id = styleLayerId(info, painting);
      if (map.getLayer(id)) map.removeLayer(id);
    }
    if (map.getSource(sourceId(info))) map.removeSource(sourceId(info));
  }

  /** The hash is shared with MapLibre, which owns `map=`. */
  function saveVisible() {
    const ids = shown().map(info => toHash(info.id));
    const others = location.hash
      .slice(1)
      .split('&')
      .filter(part => part !== '' && !part.startsWith('layers='));
    history.replaceState(history.state, '', `#${[...others, `layers=${ids.join(',')}`].join('&')}`);
  }

  /** Values that are no bytes show as nothing without a stretch: the first look at such a raster asks for one. */
  async function prepare(info) {
    const choice = choices.get(info.id);
    if (!isRaster(info) || choice.rescale || choice.looked || (info.dtype ?? 'uint8') === 'uint8') return;
    choice.looked = true;
    choice.rescale = await stretchOf(info);
  }

  /** Resolves when the layer is on the map; rejects where its stretch could not be read, and shows it without. */
  async function setVisible(id, visible) {
    const info = layers.get(id);
    const choice = choices.get(id);
    if (!info || choice.visible === visible) return;
    choice.visible = visible;
    saveVisible();
    if (!visible) return remove(info);
    try {
      await prepare(info);
    } finally {
      if (choice.visible) add(info);
    }
  }

  function repaint(id) {
    const info = layers.get(id);
    for (const painting of paintingsOf(info)) {
      const styleId = styleLayerId(info, painting);
      if (!map.getLayer(styleId)) continue;
      for (const [name, value] of Object.entries(paintOf(painting, choices.get(id), ground()))) {
        map.setPaintProperty(styleId, name, value);
      }
    }
  }

  function change(id, part) {
    const info = layers.get(id);
    const choice = Object.assign(choices.get(id), part);
    if (!choice.visible) return;
    if ('rescale' in part || 'colormap' in part) {
      map.getSource(sourceId(info))?.setTiles([absolute(rasterTiles(info, choice))]);
    }
    repaint(id);
  }

  function shown() {
    return [...layers.values()].filter(info => choices.get(info.id).visible);
  }

  function styleLayersShown() {
    return shown()
      .filter(info => !isRaster(info))
      .flatMap(info => paintingsOf(info).map(painting => styleLayerId(info, painting)))
      .filter(id => map.getLayer(id) && map.getLayer(id).type !== 'symbol');
  }

  function named() {
    const hash = new URLSearchParams(location.hash.slice(1));
    return hash.has('layers') ? hash.get('layers').split(',').map(fromHash) : null;
  }

  function wanted() {
    return named() ?? firstChoice([...layers.values()]);
  }

  /** Session layers are in no list: those that the address names, and those that it has named. */
  async function unlisted(listed) {
    const known = [...layers.values()].filter(info => info.kind === 'session').map(info => info.id);
    const ids = new Set([...(named() ?? []), ...known].filter(id => id !== '' && !listed.some(info => info.id === id)));
    const found = await Promise.all([...ids].map(id => getJson(`layers/${encodeURIComponent(id)}`).catch(() => null)));
    return found.filter(info => info !== null);
  }

  /** Reads the list again: new layers appear, those gone leave the map, choices stay. */
  async function load() {
    const first = layers.size === 0;
    const { layers: files } = await getJson('layers');
    const listed = [...files, ...(await unlisted(files))];
    const served = listed.filter(info => info.servable && info.kind !== 'refused');
    const ids = new Set(served.map(info => info.id));
    for (const [id, info] of layers) {
      if (ids.has(id)) continue;
      remove(info);
      layers.delete(id);
      choices.delete(id);
    }
    for (const info of served) {
      if (!choices.has(info.id)) choices.set(info.id, freshChoice(info, choices.size));
      layers.set(info.id, info);
    }
    if (first) await Promise.all(wanted().map(id => setVisible(id, true).catch(report)));
    return { served, refused: listed.filter(info => !ids.has(info.id)) };
  }

  /** MapLibre never asks again for a tile that failed; the server says 503 when it is only busy, so this does, a few times. */
  function reloadSoon(source) {
    const count = reloads.get(source) ?? 0;
    if (count >= RELOADS_MAX) return;
    reloads.set(source, count + 1);
    setTimeout(() => map.getSource(source) && map.refreshTiles(source), RELOAD_MS * 2 ** count);
  }

  return {
    load,
    setVisible,
    change,
    choiceOf,
    shown,
    styleLayersShown,
    reloadSoon,
    info: id => layers.get(id),
    repaintAll: () =>
      shown().forEach(info => {
        repaint(info.id);
      }),
  };
}

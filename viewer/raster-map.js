/** A raster alone on a map: what /cog/map.html shows. The page says where its TileJSON is. */

import { AttributionControl, Map as MapLibreMap, NavigationControl, ScaleControl } from './maplibre-gl.mjs';

const place = document.getElementById('map');

async function show() {
  const answer = await fetch(place.dataset.tilejson);
  const tileJson = await answer.json();
  if (!answer.ok) throw new Error(tileJson.detail ?? `TileJSON: ${answer.status}`);
  const { tiles, bounds, minzoom, maxzoom, attribution = '' } = tileJson;
  const source = {
    type: 'raster',
    tiles,
    bounds,
    minzoom,
    maxzoom,
    attribution,
    tileSize: Number(place.dataset.tilesize),
  };
  const map = new MapLibreMap({
    container: 'map',
    hash: true,
    style: { version: 8, sources: { raster: source }, layers: [{ id: 'raster', type: 'raster', source: 'raster' }] },
    bounds: location.hash ? undefined : [bounds[0], Math.max(bounds[1], -80), bounds[2], Math.min(bounds[3], 80)],
    attributionControl: false,
  });
  map.addControl(new NavigationControl(), 'top-right');
  map.addControl(new ScaleControl({ maxWidth: 120 }), 'bottom-right');
  map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
  map.once('idle', () => {
    place.dataset.state = 'idle';
  });
}

show().catch(error => {
  place.textContent = error.message;
});

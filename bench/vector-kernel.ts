/**
 * The vector path without a server: plan and paint of z10–14 tiles over a file of polygons, beside geojson-vt + vt-pbf for the
 * same features of the same tiles, one thread, no compression on either side.
 *
 *   node bench/vector-kernel.ts FILE.fgb [TILES.txt] [--library N]     TILES.txt: a line z/x/y each; else tiles of z10–14
 */
import { readFileSync } from 'node:fs';
import GeoJSONVT from 'geojson-vt';
import vtpbf from 'vt-pbf';
import { statRef } from '../src/io/bytes.ts';
import type { VectorLayer } from '../src/layers/types.ts';
import type { VectorJob } from '../src/render/vector/job.ts';
import { createVectorPainter } from '../src/render/vector/paint.ts';
import { decodeFeature } from '../src/source/fgb/feature.ts';
import { type FgbSource, openFgb } from '../src/source/fgb/open.ts';
import { always, cpuMs, jobsOf, type TileAt } from './lib/vector.ts';

function randomTiles([w, s, e, n]: readonly number[], count: number): TileAt[] {
  let seed = 42;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 4294967296;
  };
  return Array.from({ length: count }, (_, i) => {
    const z = 10 + (i % 5);
    const lat = ((s + (n - s) * next()) * Math.PI) / 180;
    const x = ((w + (e - w) * next() + 180) / 360) * 2 ** z;
    return [z, Math.floor(x), Math.floor(((1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2) * 2 ** z)] as const;
  });
}

function say(name: string, tiles: number, features: number, bytes: number, cpuMs: number): void {
  const line = `${name.padEnd(24)} ${tiles} tiles  ${((tiles / cpuMs) * 1000).toFixed(0).padStart(6)} tiles/s`;
  process.stdout.write(`${line}  ${(cpuMs / tiles).toFixed(2)} ms CPU a tile  ${features} features  ${bytes} bytes\n`);
}

/** Decodes what the plan chose, as a server built of the libraries would, and cuts the one tile. */
function libraryTile(source: FgbSource, job: VectorJob, [z, x, y]: TileAt): number {
  const { offsets, lengths } = job.layers[0];
  const schema = { columns: source.columns, geometryType: source.geometryType, hasZ: false };
  const features = Array.from(offsets, (offset, i) => {
    const bytes = new Uint8Array(lengths[i]);
    source.bytes.readInto?.(offset, bytes);
    return { type: 'Feature' as const, ...decodeFeature(bytes, 0, schema) };
  });
  const collection = { type: 'FeatureCollection', features } as GeoJSON.FeatureCollection;
  const index = new GeoJSONVT(collection, { maxZoom: z, indexMaxZoom: 0, tolerance: 3, extent: 4096, buffer: 64 });
  const tile = index.getTile(z, x, y);
  return tile ? vtpbf.fromGeojsonVt({ layer: tile }, { version: 2, extent: 4096 }).length : 0;
}

async function main([path, list, ...rest]: readonly string[]): Promise<void> {
  if (!path) throw new Error('usage: vector-kernel.ts FILE.fgb [TILES.txt] [--library N]');
  const source = await openFgb(statRef(path));
  const named = { id: 'layer', title: 'layer', description: null, version: '1', options: {}, verdict: source.verdict };
  const { lonLatBounds } = source;
  const layer: VectorLayer = { kind: 'vector', ...named, lonLatBounds, minzoom: 0, maxzoom: 14, source };
  const fromFile = list && !list.startsWith('--');
  const text = fromFile ? readFileSync(list, 'utf8').trim().split('\n') : [];
  const tiles = fromFile
    ? text.map(line => line.match(/\d+/g)?.map(Number).slice(-3) as unknown as TileAt)
    : randomTiles(lonLatBounds as readonly number[], 400);
  const painter = createVectorPainter();
  for (const job of (await jobsOf(layer, tiles)).slice(0, 100)) painter.paint(job, always);
  const planned = process.cpuUsage();
  const jobs = await jobsOf(layer, tiles);
  const planMs = cpuMs(planned);
  for (let run = 0; run < 3; run++) {
    const start = process.cpuUsage();
    let [bytes, features] = [0, 0];
    for (const job of jobs) {
      bytes += painter.paint(job, always).body?.length ?? 0;
      features += job.layers[0].offsets.length;
    }
    say('plan + paint', tiles.length, features, bytes, cpuMs(start) + planMs);
  }
  const flag = [list, ...rest].indexOf('--library');
  const some = tiles.slice(0, flag < 0 ? 40 : Number([list, ...rest][flag + 1]));
  const start = process.cpuUsage();
  let [bytes, features] = [0, 0];
  for (const tile of some) {
    const [job] = await jobsOf(layer, [tile]);
    if (!job) continue;
    bytes += libraryTile(source, job, tile);
    features += job.layers[0].offsets.length;
  }
  say('geojson-vt + vt-pbf', some.length, features, bytes, cpuMs(start));
}

await main(process.argv.slice(2));

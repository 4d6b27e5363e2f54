/**
 * Clusters live from the index of a FlatGeobuf file of points, beside supercluster over the same points in memory: CPU of the plan
 * and the painting of tiles of each zoom, and of supercluster's load and its getTile with vt-pbf. One thread, no compression.
 *
 *   .venv/bin/python bench/clusters.py 2000000 points.fgb
 *   node bench/clusters.ts points.fgb
 */
import Supercluster from 'supercluster';
import vtpbf from 'vt-pbf';
import { statRef } from '../src/io/bytes.ts';
import type { VectorLayer } from '../src/layers/types.ts';
import type { VectorJob } from '../src/render/vector/job.ts';
import { createVectorPainter } from '../src/render/vector/paint.ts';
import { planVectorTile } from '../src/render/vector/plan.ts';
import { type FgbSource, openFgb } from '../src/source/fgb/open.ts';
import { STRIDE } from '../src/source/fgb/rtree.ts';
import { allPlaced } from '../src/source/fgb/tree-walk.ts';
import { WEB_MERCATOR_QUAD } from '../src/tile.ts';
import { always, cpuMs } from './lib/vector.ts';

const ZOOMS = [0, 2, 4, 6, 8, 10, 12, 14, 16];
const TILES_A_ZOOM = 40;
const ROUNDS_AT_ZERO = 20;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function lonLats({ tree }: FgbSource): Promise<Float64Array> {
  const { shape, pages, pageLeaves } = tree!;
  const out = new Float64Array(shape.count * 2);
  for (let index = 0; index * pageLeaves < shape.count; index++) {
    const page = pages.at(index) ?? (await pages.load(index));
    for (let i = 0; i < page.count; i++) {
      out[(page.first + i) * 2] = page.boxes[i * STRIDE];
      out[(page.first + i) * 2 + 1] = page.boxes[i * STRIDE + 1];
    }
  }
  return out;
}

/** Tiles that points picked evenly lie in. */
function tilesOf(xy: Float64Array, z: number): (readonly [number, number])[] {
  const count = z === 0 ? ROUNDS_AT_ZERO : TILES_A_ZOOM;
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(((i + 0.5) / count) * (xy.length / 2)) * 2;
    const lat = (xy[at + 1] * Math.PI) / 180;
    const row = ((1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2) * 2 ** z;
    return [Math.floor(((xy[at] + 180) / 360) * 2 ** z), Math.floor(row)] as const;
  });
}

function loaded(xy: Float64Array): Supercluster {
  const points = Array.from({ length: xy.length / 2 }, (_, i) => {
    const geometry = { type: 'Point' as const, coordinates: [xy[i * 2], xy[i * 2 + 1]] };
    return { type: 'Feature' as const, properties: {}, geometry };
  });
  const before = process.memoryUsage().rss;
  const start = process.cpuUsage();
  const index = new Supercluster({ radius: 40, extent: 512, maxZoom: 16 }).load(points);
  const megabytes = (process.memoryUsage().rss - before) / 1e6;
  say(`supercluster: load ${cpuMs(start).toFixed(0)} ms of CPU, ${megabytes.toFixed(0)} MB more than its GeoJSON`);
  return index;
}

async function main(path: string): Promise<void> {
  const source = await openFgb(statRef(path));
  const { verdict, lonLatBounds } = source;
  const common = { id: 'points', title: 'points', description: null, version: '1', minzoom: 0, maxzoom: 16 };
  const layer: VectorLayer = { kind: 'vector', ...common, options: { cluster: true }, verdict, lonLatBounds, source };
  const once = process.cpuUsage();
  await allPlaced(source);
  say(`${source.count} points; one look at every leaf, once for a file: ${cpuMs(once).toFixed(0)} ms of CPU`);
  const xy = await lonLats(source);
  const index = loaded(xy);
  const painter = createVectorPainter();
  for (const z of ZOOMS) {
    const tiles = tilesOf(xy, z);
    const own: number[] = [];
    const theirs: number[] = [];
    let shown = 0;
    for (const [x, y] of tiles) {
      const start = process.cpuUsage();
      const ask = { layers: [layer], grid: WEB_MERCATOR_QUAD, tile: { z, x, y }, properties: null };
      const { job } = await planVectorTile({ ...ask, encoding: 'identity' });
      if (job) painter.paint(job as VectorJob, always);
      own.push(cpuMs(start));
      shown += (job as VectorJob).layers[0].clusters?.ids.length ?? 0;
      const other = process.cpuUsage();
      const tile = index.getTile(z, x, y);
      if (tile) vtpbf.fromGeojsonVt({ points: tile }, { version: 2, extent: 512 });
      theirs.push(cpuMs(other));
    }
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const line = `z${z}`.padEnd(4) + `${mean(own).toFixed(2)} ms a tile, worst ${Math.max(...own).toFixed(1)}`;
    say(
      `${line}; supercluster, loaded, ${mean(theirs).toFixed(2)}; ${(shown / tiles.length).toFixed(0)} clusters a tile`,
    );
  }
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('node bench/clusters.ts FILE.fgb');
await main(path);

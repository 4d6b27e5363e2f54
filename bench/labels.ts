/**
 * Label points, one thread: the pole of inaccessibility of every polygon of a file, here and by polylabel, both to within 5 % of
 * what is there to be found; and tiles of the file with labels beside the same tiles without.
 *
 *   node bench/labels.ts FILE.fgb [TILES.txt] [--features N]     TILES.txt: a line z/x/y each; else all tiles of z0–3
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Geometry, Position } from 'geojson';
import polylabel from 'polylabel';
import { statRef } from '../src/io/bytes.ts';
import type { RingSet } from '../src/kernels/interior-point.ts';
import { distance, newPoleScratch, poleOf } from '../src/kernels/pole.ts';
import type { VectorLayer } from '../src/layers/types.ts';
import type { VectorJob } from '../src/render/vector/job.ts';
import { createVectorPainter } from '../src/render/vector/paint.ts';
import { decodeFeature } from '../src/source/fgb/feature.ts';
import { type FgbSource, openFgb } from '../src/source/fgb/open.ts';
import { always, cpuMs, jobsOf, type TileAt } from './lib/vector.ts';

const outline = (geometry: Geometry | null): readonly Position[][][] => {
  if (geometry?.type === 'Polygon') return [geometry.coordinates];
  return geometry?.type === 'MultiPolygon' ? geometry.coordinates : [];
};

/** Polygons of the features of a job, each in both forms. */
function polygonsOf(source: FgbSource, job: VectorJob, most: number): { set: RingSet; rings: Position[][] }[] {
  const { offsets, lengths } = job.layers[0];
  const schema = { columns: source.columns, geometryType: source.geometryType, hasZ: false };
  const step = Math.max(1, Math.floor(offsets.length / most));
  const picked = Array.from({ length: Math.ceil(offsets.length / step) }, (_, i) => i * step);
  return picked.flatMap(i => {
    const bytes = new Uint8Array(lengths[i]);
    source.bytes.readInto?.(offsets[i], bytes);
    return outline(decodeFeature(bytes, 0, schema).geometry as Geometry | null).map(rings => {
      const open = rings.map(ring => ring.slice(0, -1).map(([x, y]) => [x, y]));
      let end = 0;
      const ends = Int32Array.from(open, ring => (end += ring.length));
      return { set: { xy: Float64Array.from(open.flat(2)), ends, count: open.length }, rings };
    });
  });
}

function poles(source: FgbSource, job: VectorJob, most: number): void {
  const polygons = polygonsOf(source, job, most);
  const scratch = newPoleScratch();
  const out = polygons.map(() => new Float64Array(2));
  const ownMs = [0, 1].map(() => {
    const start = process.cpuUsage();
    polygons.forEach(({ set }, i) => {
      poleOf(set, 0, scratch, out[i]);
    });
    return cpuMs(start);
  })[1];
  const own = polygons.map(({ set }, i) => distance(set, out[i][0], out[i][1]));
  const theirs: number[] = [];
  const theirMs = [0, 1].map(() => {
    const start = process.cpuUsage();
    theirs.length = 0;
    polygons.forEach(({ rings }, i) => {
      theirs.push(polylabel(rings as [number, number][][], own[i] * 0.05 || 1e-9).distance);
    });
    return cpuMs(start);
  })[1];
  const points = polygons.reduce((sum, { set }) => sum + set.xy.length / 2, 0);
  const share = own.reduce((sum, d, i) => sum + (theirs[i] > 0 ? d / theirs[i] : 1), 0) / own.length;
  const line = `${polygons.length} polygons, ${points} points: here ${ownMs.toFixed(1)} ms, polylabel ${theirMs.toFixed(1)} ms`;
  process.stdout.write(
    `${line}, ratio ${(theirMs / ownMs).toFixed(2)}; distance found, of polylabel's: ${share.toFixed(3)}\n`,
  );
}

function paintMs(jobs: readonly VectorJob[]): number {
  const painter = createVectorPainter();
  for (const job of jobs) painter.paint(job, always);
  const start = process.cpuUsage();
  for (const job of jobs) painter.paint(job, always);
  const ms = cpuMs(start);
  painter.close();
  return ms / jobs.length;
}

async function main([path, ...rest]: readonly string[]): Promise<void> {
  if (!path) throw new Error('usage: labels.ts FILE.fgb [TILES.txt] [--features N]');
  const source = await openFgb(statRef(resolve(path)));
  const { lonLatBounds, verdict } = source;
  const named = { id: 'layer', title: 'layer', description: null, version: '1', verdict, lonLatBounds, minzoom: 0 };
  const layerWith = (options: object): VectorLayer => ({ kind: 'vector', ...named, maxzoom: 14, options, source });
  const list = rest[0]?.startsWith('--') ? undefined : rest[0];
  const low = [0, 1, 2, 3].flatMap(z => Array.from({ length: 4 ** z }, (_, i): TileAt => [z, i % 2 ** z, i >> z]));
  const tiles = list
    ? readFileSync(list, 'utf8')
        .trim()
        .split('\n')
        .map(line => line.match(/\d+/g)?.map(Number).slice(-3) as unknown as TileAt)
    : low;
  const [whole] = await jobsOf(layerWith({ drop: 'none' }), [[0, 0, 0]]);
  const flag = rest.indexOf('--features');
  poles(source, whole, flag < 0 ? 20_000 : Number(rest[flag + 1]));
  const plain = paintMs(await jobsOf(layerWith({}), tiles));
  const labelled = paintMs(await jobsOf(layerWith({ labels: true }), tiles));
  const line = `tiles: ${plain.toFixed(2)} ms without labels, ${labelled.toFixed(2)} ms with them`;
  process.stdout.write(`${line}, ratio ${(labelled / plain).toFixed(2)}\n`);
}

await main(process.argv.slice(2));

/**
 * Keeps of the candidates of make-crs-table.py what proj4 gets right, and writes the compact table that src/ reads.
 *
 *   node scripts/check-crs-table.ts candidates.json src/crs/table.json
 *
 * Right: at every point of the area of use, both ways, within a metre of PROJ running the same operation.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import proj4 from 'proj4';

const TOLERANCE_M = 1;
const DEGREE_M = 111_320;

interface Note {
  readonly accuracy: number | null;
  readonly spread: number;
  readonly grid?: string;
  readonly gridAccuracy?: number;
}

interface Row {
  readonly code: number;
  readonly title: string;
  readonly refused?: readonly [string, string];
  readonly proj: string;
  readonly datum: string;
  readonly note: Note;
  readonly unit: number | null;
  readonly points: readonly (readonly [number, number, number, number])[];
}

interface Candidates {
  readonly proj: string;
  readonly rows: readonly Row[];
  readonly aliases: Readonly<Record<string, number>>;
}

/** The worst distance in metres of proj4 from PROJ over the row's points, forward and back; Infinity where one fails. */
function worst(row: Row): number {
  const definition = `+${`${row.proj} ${row.datum} no_defs`.split(' ').join(' +')}`;
  const geographic = row.proj.startsWith('proj=longlat');
  const axes = row.proj.includes('axis=');
  const unit = geographic ? DEGREE_M : (row.unit ?? 1);
  let far = row.points.length < 9 ? Number.POSITIVE_INFINITY : 0;
  try {
    const converter = proj4('+proj=longlat +datum=WGS84 +no_defs', definition);
    for (const [lon, lat, x, y] of row.points) {
      const there = converter.forward([lon, lat], axes);
      const back = converter.inverse([x, y], axes);
      const turn = ((((back[0] - lon + 180) % 360) + 360) % 360) - 180;
      const apart = Math.max(
        Math.hypot(there[0] - x, there[1] - y) * unit,
        Math.hypot(turn * Math.cos((lat * Math.PI) / 180), back[1] - lat) * DEGREE_M,
      );
      far = Math.max(far, Number.isFinite(apart) ? apart : Number.POSITIVE_INFINITY);
    }
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  return far;
}

/** Numbers of a list of words, most used first, so that the common ones are short. */
function numbered(words: readonly string[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const word of words) uses.set(word, (uses.get(word) ?? 0) + 1);
  const order = [...uses.keys()].sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || (a < b ? -1 : 1));
  return new Map(order.map((word, index) => [word, index]));
}

const latin = (text: string) => text.normalize('NFC').replace(/[^\t\n\x20-\xff]/g, '?');

function datumOf(row: Row): string {
  const { accuracy, spread, grid, gridAccuracy } = row.note;
  return [row.datum, accuracy ?? '', spread >= 1 ? spread : '', grid ?? '', gridAccuracy ?? ''].join('|');
}

const candidates: Candidates = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const kept: Row[] = [];
const refused: { code: number; title: string; reason: string; grid: string }[] = [];
for (const row of candidates.rows) {
  if (row.refused) refused.push({ code: row.code, title: row.title, reason: row.refused[0], grid: row.refused[1] });
  else {
    const far = worst(row);
    if (far <= TOLERANCE_M) kept.push(row);
    else {
      refused.push({ code: row.code, title: row.title, reason: 'unsupported', grid: '' });
      console.log(`unsupported ${row.code} ${row.title}: ${far.toFixed(2)} m, +${row.proj}`);
    }
  }
}

const datums = numbered(kept.map(datumOf));
const lines = [
  ...kept.map(row => ({ code: row.code, text: `${row.title}\t${row.proj.slice(5)}\t${datums.get(datumOf(row))}` })),
  ...refused.map(row => ({ code: row.code, text: `${row.title}\t!${row.reason}\t${row.grid}` })),
];
const known = new Set(lines.map(line => line.code));
for (const [code, target] of Object.entries(candidates.aliases)) {
  if (known.has(target) && !known.has(Number(code))) lines.push({ code: Number(code), text: `=${target}` });
}
lines.sort((a, b) => a.code - b.code);

const table = {
  about: `EPSG systems without a grid, checked against PROJ ${candidates.proj}; made by scripts/check-crs-table.ts`,
  datums: latin([...datums.keys()].join('\n')),
  systems: latin(lines.map(line => `${line.code}\t${line.text}`).join('\n')),
};
writeFileSync(process.argv[3], `${JSON.stringify(table)}\n`);
const reasons = Object.entries(Object.groupBy(refused, row => row.reason)).map(([k, v]) => `${k} ${v?.length}`);
console.log(`kept ${kept.length}, datums ${datums.size}, lines ${lines.length}, refused: ${reasons.join(', ')}`);

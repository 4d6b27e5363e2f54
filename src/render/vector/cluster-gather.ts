/** Points that are read to be clustered: those that match, what each cell has of them, and what becomes of their attributes. In a worker. */
import { AGGREGATE_BYTES, type Aggregated, Aggregator } from '../../kernels/aggregates.ts';
import { clusterId } from '../../kernels/clusters.ts';
import type { CellRange, Places } from '../../source/fgb/clusters.ts';
import type { FilterSchema } from '../filter/filter.ts';
import { Row } from '../filter/row.ts';
import { cellsOn } from './cells.ts';
import type { CellsRead, JobAggregate, JobClusters } from './job.ts';
import type { Passes } from './matches.ts';

export interface Gathered {
  /** As far as `shows` says; with the attributes of their points. */
  readonly clusters: JobClusters;
  /** Places of the points that are alone. */
  readonly singles: readonly number[];
  readonly heldBytes: number;
}

/** `shows`: whether a place, in layer units, is wanted. */
export function* gathered(
  points: Places & { readonly xy: Float64Array },
  cells: CellsRead,
  shows: (x: number, y: number) => boolean,
): Passes<Gathered> {
  const { ranges, minPoints, filter, schema, aggregates } = cells;
  const grid = cellsOn(cells.plane);
  const starts = startsOf(ranges);
  const total = starts[ranges.length];
  const counts = new Uint32Array(total);
  const sums = [new Float64Array(total), new Float64Array(total)];
  const { row, add, of } = aggregating(aggregates, schema, total);
  const few: number[] = [];
  const fewIn: number[] = [];
  const visit = (i: number): boolean => {
    const x = grid.col(points.xy[i * 2]);
    const y = grid.row(points.xy[i * 2 + 1]);
    const [col, line] = [Math.floor(x), Math.floor(y)];
    const cell = cellIn(ranges, starts, col, line);
    if (cell < 0) return false;
    sums[0][cell] += x - col;
    sums[1][cell] += y - line;
    add(cell);
    if (counts[cell]++ >= minPoints - 1) return false;
    few.push(i);
    fewIn.push(cell);
    return true;
  };
  const longest = yield { places: points, spec: filter, schema, row, visit };
  const alone = few.filter((i, k) => counts[fewIn[k]] < minPoints && shows(points.xy[i * 2], points.xy[i * 2 + 1]));
  const found: { id: number; cell: number; x: number; y: number }[] = [];
  ranges.forEach(({ col0, row0, col1 }, r) => {
    const width = col1 - col0 + 1;
    for (let cell = starts[r]; cell < starts[r + 1]; cell++) {
      if (counts[cell] < minPoints) continue;
      const col = col0 + ((cell - starts[r]) % width);
      const line = row0 + Math.floor((cell - starts[r]) / width);
      const x = grid.x(col + sums[0][cell] / counts[cell]);
      const y = grid.y(line + sums[1][cell] / counts[cell]);
      if (shows(x, y)) found.push({ id: clusterId(cells.frame, cells.features, col, line), cell, x, y });
    }
  });
  const clusters = {
    ids: Float64Array.from(found, ({ id }) => id),
    counts: Uint32Array.from(found, ({ cell }) => counts[cell]),
    xy: Float64Array.from(found.flatMap(({ x, y }) => [x, y])),
    rooted: cells.rooted,
    aggregates: aggregates.map(({ name }, k) => ({ name, values: found.map(({ cell }) => of(cell, k)) })),
  };
  const heldBytes = longest + total * cellBytes(aggregates.length) + few.length * 16;
  return { clusters, singles: alone, heldBytes };
}

/** What is held of a cell while points are counted. */
export function cellBytes(aggregates: number): number {
  return 20 + aggregates * AGGREGATE_BYTES;
}

function startsOf(ranges: readonly CellRange[]): number[] {
  const starts = [0];
  for (const { col0, row0, col1, row1 } of ranges)
    starts.push(starts[starts.length - 1] + (col1 - col0 + 1) * (row1 - row0 + 1));
  return starts;
}

/** The cell's number, in the first range that has it; −1: none has. */
function cellIn(ranges: readonly CellRange[], starts: readonly number[], col: number, row: number): number {
  for (let r = 0; r < ranges.length; r++) {
    const { col0, row0, col1, row1 } = ranges[r];
    if (col < col0 || col > col1 || row < row0 || row > row1) continue;
    return starts[r] + (row - row0) * (col1 - col0 + 1) + col - col0;
  }
  return -1;
}

interface Aggregating {
  /** null: no attribute is wanted. */
  readonly row: Row | null;
  /** Takes the row's values into the cell. */
  readonly add: (cell: number) => void;
  readonly of: (cell: number, aggregate: number) => Aggregated;
}

function aggregating(aggregates: readonly JobAggregate[], { columns }: FilterSchema, cells: number): Aggregating {
  const row = aggregates.length === 0 ? null : new Row(columns);
  const all = aggregates.map(({ op, column }) => {
    const slot = row?.want(column) ?? 0;
    const { type } = columns[column];
    return { slot, boolean: type === 'bool', counted: op === 'count', into: new Aggregator(op, cells) };
  });
  const valueOf = (at: Row, { slot, boolean, counted }: (typeof all)[number]): number => {
    if (at.isNull(slot)) return Number.NaN;
    if (counted) return 1;
    return boolean ? at.boolean(slot) : Number(at.number(slot));
  };
  return {
    row,
    add: cell => {
      if (row) for (const one of all) one.into.add(cell, valueOf(row, one));
    },
    of: (cell, k) => all[k].into.of(cell),
  };
}

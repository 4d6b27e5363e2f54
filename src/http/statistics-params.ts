/** titiler's parameters of statistics. */
import { problem } from '../errors.ts';
import type { StatisticsOptions } from '../kernels/statistics/types.ts';
import { CATEGORIES_MAX } from '../render/raster/scan.ts';
import { clip, flag, list, type Query, text, toInteger, toNumber } from './params.ts';

/** Each costs a table of its own while values are counted. */
export const PERCENTILES_MAX = 16;
export const BINS_MAX = 1024;

export function statisticsOptions(query: Query): StatisticsOptions {
  return {
    percentiles: percentilesOf(query),
    categorical: flag(query, 'categorical', false),
    categories: categoriesOf(query),
    bins: binsOf(query),
    range: rangeOf(query),
  };
}

function percentilesOf(query: Query): number[] {
  const given = [...new Set(list(query, 'p').map(value => toInteger('p', value)))];
  const wrong = given.find(percent => percent < 0 || percent > 100);
  if (wrong !== undefined) throw problem('unprocessable', `p: ${wrong} is not between 0 and 100`);
  if (given.length > PERCENTILES_MAX)
    throw problem('unprocessable', `p: ${given.length} percentiles; at most ${PERCENTILES_MAX} are taken`);
  return given.length > 0 ? given : [2, 98];
}

function categoriesOf(query: Query): number[] | null {
  const given = [...new Set(list(query, 'c').map(value => toNumber('c', value)))];
  if (given.length > CATEGORIES_MAX)
    throw problem('unprocessable', `c: ${given.length} values; at most ${CATEGORIES_MAX} are taken`);
  return given.length > 0 ? given : null;
}

/** A number of intervals, or their edges with commas. */
function binsOf(query: Query): number | number[] {
  const given = list(query, 'histogram_bins');
  if (given.length === 0) return 10;
  if (given.length === 1) {
    const bins = toInteger('histogram_bins', given[0]);
    if (bins < 1 || bins > BINS_MAX)
      throw problem('unprocessable', `histogram_bins: ${bins} is not between 1 and ${BINS_MAX}`);
    return bins;
  }
  const edges = given.map(value => toNumber('histogram_bins', value));
  if (edges.length > BINS_MAX + 1)
    throw problem('unprocessable', `histogram_bins: ${edges.length} edges; at most ${BINS_MAX + 1} are taken`);
  const wrong = edges.findIndex((edge, i) => i > 0 && edge <= edges[i - 1]);
  if (wrong > 0) throw problem('unprocessable', `histogram_bins: ${edges[wrong]} is not above ${edges[wrong - 1]}`);
  return edges;
}

function rangeOf(query: Query): [number, number] | null {
  const given = text(query, 'histogram_range');
  if (given === undefined) return null;
  const parts = given.split(',').map(part => toNumber('histogram_range', part));
  if (parts.length !== 2) throw problem('bad-parameter', `histogram_range: "${clip(given)}" is not min,max`);
  if (parts[0] > parts[1]) throw problem('unprocessable', `histogram_range: ${parts[0]} is above ${parts[1]}`);
  return [parts[0], parts[1]];
}

/** Counts by interval as numpy.histogram has them: the last one includes its upper edge, what lies outside is not counted. */

export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: number[];
  add(value: number, count: number): void;
}

/** `single`: values are float32, and so are NumPy's edges then. */
function binEdges(bins: number | readonly number[], range: readonly [number, number], single: boolean): number[] {
  if (typeof bins !== 'number') return [...bins];
  // As NumPy: a single value gets an interval of one around it.
  const [low, high] = range[0] === range[1] ? [range[0] - 0.5, range[1] + 0.5] : range;
  const step = (high - low) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + i * step));
  return single ? edges.map(Math.fround) : edges;
}

export function createHistogram(
  bins: number | readonly number[],
  range: readonly [number, number],
  single: boolean,
): Histogram {
  const edges = binEdges(bins, range, single);
  const n = edges.length - 1;
  const [low, high] = [edges[0], edges[n]];
  const counts = new Array<number>(n).fill(0);
  const uniform = typeof bins === 'number';
  const scale = n / (high - low);

  function binOf(value: number): number {
    let at = uniform ? Math.min(n - 1, Math.floor((value - low) * scale)) : 0;
    while (at > 0 && value < edges[at]) at--;
    while (at < n - 1 && value >= edges[at + 1]) at++;
    return at;
  }

  return {
    edges,
    counts,
    add(value, count) {
      if (value >= low && value <= high) counts[binOf(value)] += count;
    },
  };
}

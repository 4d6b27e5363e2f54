/**
 * Values that are computed from those of the file before they become colours: an expression of the bands, then an
 * algorithm. Decided in the plan (which bands must be read, what comes out, what it costs), done in the worker.
 */
import { problem } from '../../errors.ts';
import { ALGORITHMS, type Algorithm } from '../../kernels/algorithms/index.ts';
import { evaluateExpression, expressionType } from '../../kernels/expression/evaluate.ts';
import { type Expression, parseExpression } from '../../kernels/expression/parse.ts';
import { type Samples, type SampleType, workingArray, workingBytes } from '../../kernels/samples.ts';
import type { RasterLayer } from '../../layers/types.ts';
import { freeArray } from '../../memory/segments.ts';
import { defaultBands, unscaledType } from './bands.ts';
import type {
  Derivation,
  Derive,
  ImageStyle,
  NamedAlgorithm,
  OutputGrid,
  Product,
  RasterFormat,
  RasterParams,
} from './types.ts';

export interface Values {
  readonly samples: Samples;
  readonly bands: number;
  readonly type: SampleType;
  readonly mask: Uint8Array;
}

export function planDerivation(layer: RasterLayer, params: RasterParams, format: RasterFormat | null): Derivation {
  const { source } = layer;
  const expression = params.expression === undefined ? null : parseExpression(params.expression, source.bands.length);
  const algorithm = params.algorithm ?? null;
  const wanted = bandsRead(layer, params, format, expression);
  const stored = params.unscale ? unscaledType(source.dtype) : source.dtype;
  const made: Product = expression
    ? { bands: expression.parts.length, type: expressionType(stored), range: null }
    : { bands: wanted.length, type: stored, range: null };
  if (!algorithm) return { wanted, derive: expression && { expression, algorithm, margin: 0 }, product: made };
  const known = ALGORITHMS[algorithm.name] as Algorithm;
  checkBands(algorithm.name, known, made.bands);
  const product = { bands: known.outputBands(made.bands), type: known.outputType(made.type), range: known.range };
  return { wanted, derive: { expression, algorithm, margin: known.margin(algorithm.params) }, product };
}

/** An algorithm that looks at some bands, of which nobody says which, takes the first ones. */
function bandsRead(
  layer: RasterLayer,
  params: RasterParams,
  format: RasterFormat | null,
  expression: Expression | null,
): readonly number[] {
  if (expression) return expression.bands.length > 0 ? expression.bands : [1];
  const usual = defaultBands(layer, params, params.algorithm ? null : format);
  const counts = params.algorithm && !params.bidx ? (ALGORITHMS[params.algorithm.name] as Algorithm).inputBands : null;
  if (!counts) return usual;
  const most = counts.findLast(count => count <= usual.length);
  return most === undefined ? usual : usual.slice(0, most);
}

/** Pixels that an algorithm looks at around what is shown. */
export function algorithmMargin(algorithm: NamedAlgorithm | undefined): number {
  return algorithm ? (ALGORITHMS[algorithm.name] as Algorithm).margin(algorithm.params) : 0;
}

function checkBands(name: string, { inputBands }: Algorithm, bands: number): void {
  if (inputBands === null || inputBands.includes(bands)) return;
  const takes = `${inputBands.join(' or ')} band${inputBands[0] === 1 && inputBands.length === 1 ? '' : 's'}`;
  throw problem('unprocessable', `algorithm: ${name} takes ${takes}, not ${bands}: choose with bidx or expression`);
}

/** The grid with what an algorithm looks at around it. A whole raster (no CRS) has nothing around it. */
export function widened(grid: OutputGrid, derive: Derive | null): OutputGrid {
  const margin = grid.crs === null ? 0 : (derive?.margin ?? 0);
  if (margin === 0) return grid;
  return {
    ...grid,
    originX: grid.originX - margin * grid.resX,
    originY: grid.originY + margin * grid.resY,
    width: grid.width + 2 * margin,
    height: grid.height + 2 * margin,
  };
}

/** Bytes beside those of the values read: each stage's result while the one before it is still there. */
export function derivedBytes(derivation: Derivation, pixels: number): number {
  const { derive, product, wanted } = derivation;
  if (!derive) return 0;
  const { expression } = derive;
  const first = expression ? expression.parts.length * 8 : wanted.length * 4;
  return pixels * (first + product.bands * workingBytes(product.type) + 2);
}

interface Stages {
  readonly derive: Derive | null;
  readonly style: Pick<ImageStyle, 'scales' | 'offsets'>;
}

type Extent = Pick<OutputGrid, 'width' | 'height' | 'resX' | 'resY'>;

/** Values as read to those of the product, cut back to `shown`. What was given is freed where it is replaced. */
export function productOf(values: Values, grid: Extent, { derive, style }: Stages, shown: Extent): Values {
  const real = style.scales ? unscaled(values, style) : values;
  const first = derive?.expression ? express(real, derive.expression) : real;
  const second = derive?.algorithm ? run(first, grid, derive.algorithm) : first;
  return grid.width === shown.width && grid.height === shown.height ? second : cropped(second, grid, shown);
}

function unscaled({ samples, bands, type, mask }: Values, { scales, offsets }: Stages['style']): Values {
  const target = unscaledType(type);
  const out = workingArray(target, samples.length);
  for (let i = 0; i < out.length; i++) {
    const band = i % bands;
    out[i] = samples[i] * (scales?.[band] ?? 1) + (offsets?.[band] ?? 0);
  }
  freeArray(samples);
  return { samples: out, bands, type: target, mask };
}

function express(values: Values, expression: Expression): Values {
  const { samples, mask } = values;
  const bands = expression.parts.length;
  const type = expressionType(values.type);
  const out = workingArray(type, mask.length * bands);
  evaluateExpression(expression, samples, expression.bands.length > 0 ? expression.bands : [1], out, mask);
  freeArray(samples);
  return { samples: out, bands, type, mask };
}

function run(values: Values, { width, height, resX, resY }: Extent, { name, params }: NamedAlgorithm): Values {
  const algorithm = ALGORITHMS[name] as Algorithm;
  const bands = algorithm.outputBands(values.bands);
  const type = algorithm.outputType(values.type);
  const out = workingArray(type, values.mask.length * bands);
  const mask = values.mask.slice();
  algorithm.apply({ ...values, width, height, resX, resY }, params, out, mask);
  freeArray(values.samples);
  freeArray(values.mask);
  return { samples: out, bands, type, mask };
}

function cropped(values: Values, grid: Extent, shown: Extent): Values {
  const { bands, type } = values;
  const left = (grid.width - shown.width) / 2;
  const top = (grid.height - shown.height) / 2;
  const samples = workingArray(type, shown.width * shown.height * bands);
  const mask = new Uint8Array(shown.width * shown.height);
  for (let y = 0; y < shown.height; y++) {
    const from = (y + top) * grid.width + left;
    samples.set(values.samples.subarray(from * bands, (from + shown.width) * bands), y * shown.width * bands);
    mask.set(values.mask.subarray(from, from + shown.width), y * shown.width);
  }
  freeArray(values.samples);
  freeArray(values.mask);
  return { samples, bands, type, mask };
}

/** Names of what comes out as rio-tiler gives them, and what each is. */
export function bandsTold(
  { source }: RasterLayer,
  { expression }: Pick<RasterParams, 'expression'>,
  { wanted, derive, product }: Derivation,
): { names: string[]; descriptions: string[] } {
  const count = Array.from({ length: product.bands }, (_, i) => i);
  if (derive?.algorithm) {
    const { name } = derive.algorithm;
    return { names: count.map(i => `b${i + 1}`), descriptions: count.map(() => name) };
  }
  if (expression !== undefined) {
    const described = (name: string) => source.bands[Number(name.slice(1)) - 1]?.description ?? name;
    const texts = expression.split(';').map(text => text.trim().replace(/\bb\d+\b/g, described));
    return { names: count.map(i => `b${i + 1}`), descriptions: count.map(i => texts[i]) };
  }
  return {
    names: wanted.map(band => `b${band}`),
    descriptions: wanted.map(band => source.bands[band - 1].description ?? `b${band}`),
  };
}

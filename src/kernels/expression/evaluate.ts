/**
 * A parsed expression over bands, a chunk of pixels at a time: each node is a loop over a chunk that stays in the caches,
 * and intermediate chunks are few and reused, so that memory does not grow with the image.
 */
import { SAMPLE_TYPES, type Samples, type SampleType } from '../samples.ts';
import { BINARY_FUNCTIONS, type BinaryName, UNARY_FUNCTIONS, type UnaryName } from './functions.ts';
import type { BinaryOperator, Expression, Node } from './parse.ts';

const CHUNK = 2048;

const bit = (value: boolean): number => (value ? 1 : 0);

const BINARY: Readonly<Record<BinaryOperator, (x: number, y: number) => number>> = {
  '+': (x, y) => x + y,
  '-': (x, y) => x - y,
  '*': (x, y) => x * y,
  '/': (x, y) => x / y,
  '//': (x, y) => Math.floor(x / y),
  '%': (x, y) => x % y,
  '**': (x, y) => x ** y,
  '<': (x, y) => bit(x < y),
  '<=': (x, y) => bit(x <= y),
  '==': (x, y) => bit(x === y),
  '!=': (x, y) => bit(x !== y),
  '>=': (x, y) => bit(x >= y),
  '>': (x, y) => bit(x > y),
  '&': (x, y) => x & y,
  '|': (x, y) => x | y,
  '^': (x, y) => x ^ y,
  '<<': (x, y) => x << y,
  '>>': (x, y) => x >> y,
};

/** Nodes whose values are only ever 0 and 1: ~ turns these round, and other integers bit by bit. */
function isTruth(node: Node): boolean {
  if (node.kind === 'binary') {
    if (['<', '<=', '==', '!=', '>=', '>'].includes(node.operator)) return true;
    return ['&', '|', '^'].includes(node.operator) && isTruth(node.left) && isTruth(node.right);
  }
  if (node.kind === 'unary') return node.operator === '~' && isTruth(node.of);
  return node.kind === 'call' && ['isnan', 'isfinite', 'isinf'].includes(node.name);
}

/** Fills `into` with the values of pixels from `start`. */
type Step = (start: number, count: number, into: Float64Array) => void;

interface Input {
  readonly samples: Samples;
  /** Samples a pixel. */
  readonly stride: number;
  /** Place of each band of the expression (1-based) in a pixel. */
  readonly places: ReadonlyMap<number, number>;
}

function compile(node: Node, input: Input): Step {
  switch (node.kind) {
    case 'number':
      return (_start, count, into) => into.fill(node.value, 0, count);
    case 'band':
      return bandStep(input, input.places.get(node.band) as number);
    case 'unary': {
      const { operator, of } = node;
      const whole = operator === '-' ? (x: number) => -x : isTruth(of) ? (x: number) => 1 - x : (x: number) => ~x;
      return unaryStep(whole, compile(of, input));
    }
    case 'binary':
      return binaryStep(BINARY[node.operator], compile(node.left, input), compile(node.right, input));
    case 'call': {
      const [a, b, c] = node.of.map(each => compile(each, input));
      if (node.name === 'where') return whereStep(a as Step, b as Step, c as Step);
      if (b) return binaryStep(BINARY_FUNCTIONS[node.name as BinaryName], a as Step, b);
      return unaryStep(UNARY_FUNCTIONS[node.name as UnaryName], a as Step);
    }
  }
}

function bandStep({ samples, stride }: Input, place: number): Step {
  return (start, count, into) => {
    for (let i = 0, s = start * stride + place; i < count; i++, s += stride) into[i] = samples[s] as number;
  };
}

function unaryStep(apply: (x: number) => number, of: Step): Step {
  return (start, count, into) => {
    of(start, count, into);
    for (let i = 0; i < count; i++) into[i] = apply(into[i] as number);
  };
}

function binaryStep(apply: (x: number, y: number) => number, left: Step, right: Step): Step {
  const other = new Float64Array(CHUNK);
  return (start, count, into) => {
    left(start, count, into);
    right(start, count, other);
    for (let i = 0; i < count; i++) into[i] = apply(into[i] as number, other[i] as number);
  };
}

function whereStep(test: Step, yes: Step, no: Step): Step {
  const whether = new Float64Array(CHUNK);
  const other = new Float64Array(CHUNK);
  return (start, count, into) => {
    test(start, count, whether);
    yes(start, count, into);
    no(start, count, other);
    for (let i = 0; i < count; i++) if (whether[i] === 0) into[i] = other[i] as number;
  };
}

/** float32 holds what comes of 8 and 16 bits to seven digits; more digits in ask for more digits out. */
export function expressionType(type: SampleType): 'float32' | 'float64' {
  return SAMPLE_TYPES[type].bytes <= 2 || type === 'float32' ? 'float32' : 'float64';
}

/**
 * `samples` hold `bands` (1-based, ascending as in the expression) interleaved; `mask` has a value a pixel and is 0 where
 * nothing is valid. The result is interleaved too. What has no value (0/0, the root of −1, 1/0) becomes invalid in `mask`.
 */
export function evaluateExpression(
  expression: Expression,
  samples: Samples,
  bands: readonly number[],
  out: Samples,
  mask: Uint8Array | null,
): void {
  const input: Input = { samples, stride: bands.length, places: new Map(bands.map((band, i) => [band, i])) };
  const n = expression.parts.length;
  const count = out.length / n;
  const chunk = new Float64Array(CHUNK);
  for (const [part, node] of expression.parts.entries()) {
    const step = compile(node, input);
    for (let start = 0; start < count; start += CHUNK) {
      const length = Math.min(CHUNK, count - start);
      step(start, length, chunk);
      for (let i = 0, d = start * n + part; i < length; i++, d += n) {
        const value = chunk[i] as number;
        out[d] = value;
        if (mask !== null && !Number.isFinite(value)) mask[start + i] = 0;
      }
    }
  }
}

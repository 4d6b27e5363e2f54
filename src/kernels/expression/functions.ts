/** The functions of band expressions, under numexpr's names. All take and give numbers; true is 1, false is 0. */
import { rint } from '../rint.ts';

const bit = (value: boolean): number => (value ? 1 : 0);

const ONE = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  log: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  log1p: Math.log1p,
  exp: Math.exp,
  expm1: Math.expm1,
  sqrt: Math.sqrt,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: rint,
  sign: Math.sign,
  isnan: (x: number) => bit(Number.isNaN(x)),
  isfinite: (x: number) => bit(Number.isFinite(x)),
  isinf: (x: number) => bit(x === Infinity || x === -Infinity),
} as const satisfies Record<string, (x: number) => number>;

const TWO = {
  arctan2: Math.atan2,
  fmod: (x: number, y: number) => x % y,
  hypot: Math.hypot,
  minimum: Math.min,
  maximum: Math.max,
} as const satisfies Record<string, (x: number, y: number) => number>;

export type UnaryName = keyof typeof ONE;
export type BinaryName = keyof typeof TWO;
export type FunctionName = UnaryName | BinaryName | 'where';

export const UNARY_FUNCTIONS: Readonly<Record<UnaryName, (x: number) => number>> = ONE;
export const BINARY_FUNCTIONS: Readonly<Record<BinaryName, (x: number, y: number) => number>> = TWO;

const counts = (names: readonly string[], count: number) => names.map(name => [name, count] as const);

/** How many values each takes. */
export const PARAMETERS = Object.fromEntries([
  ...counts(Object.keys(ONE), 1),
  ...counts(Object.keys(TWO), 2),
  ['where', 3],
]) as Readonly<Record<FunctionName, number>>;

export function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(PARAMETERS, name);
}

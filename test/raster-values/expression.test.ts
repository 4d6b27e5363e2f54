import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/errors.ts';
import { evaluateExpression, expressionType } from '../../src/kernels/expression/evaluate.ts';
import { EXPRESSION_DEPTH_MAX, EXPRESSION_LENGTH_MAX, parseExpression } from '../../src/kernels/expression/parse.ts';
import { askRio, interleave, NO_TITILER, seeded } from './rio.ts';

function evaluate(text: string, bands: readonly (readonly number[])[]): { values: number[]; mask: Uint8Array } {
  const expression = parseExpression(text, bands.length);
  const samples = interleave(bands, new Float64Array(bands.length * (bands[0] as readonly number[]).length));
  const count = (bands[0] as readonly number[]).length;
  const out = new Float64Array(expression.parts.length * count);
  const mask = new Uint8Array(count).fill(255);
  evaluateExpression(
    expression,
    samples,
    bands.map((_, i) => i + 1),
    out,
    mask,
  );
  const parts = expression.parts.length;
  return { values: Array.from(out, (_, i) => out[(i % count) * parts + Math.floor(i / count)] as number), mask };
}

const TEXTS = [
  '(b2-b1)/(b2+b1)',
  'b1*2+b2',
  'b1+b2*b3',
  '(b1+b2)*b3',
  '-b1**2',
  '2**-b1/100',
  '2**3**b1/1000',
  'b1-b2-b3',
  'b1/b2/b3',
  'b1;b2;b3',
  'b1*0.5 ; b2 - 1e1;',
  'where(b1>b2,b1,b2)',
  'where((b1>0.5)&(b2<0.5),1,0)',
  'where((b1>0.5)|(b2<0.5),b3,-b3)',
  'sqrt(b1)+log(b2)',
  'log10(b1)*exp(b2)',
  'sin(b1)+cos(b2)-tan(b3)',
  'arctan2(b1,b2)',
  'arcsin(b1/2)+arccos(b2/2)',
  'abs(b1-b2)',
  'floor(b1*10)+ceil(b2*10)',
  'b1%0.3',
  '(b1>=b2)*2+(b1<=b3)',
  '(b1==b1)*(b1!=b2)',
  '+b1',
  '--b1',
  'where(~(b1>0.5),b2,b3)',
  'sinh(b1)+cosh(b2)+tanh(b3)',
  'log1p(b1)-expm1(b2)',
  'arcsinh(b1)+arctanh(b2/2)',
  'B1+b2',
  '.5*b1+5.*b2',
  '2.5*b1-1.5e-1',
  '3*b1**2/b2',
  '(((b1)))',
  'b1 - -b2',
  'b3**2**0.5',
  'round(b1*10)',
];

test('expressions have the values that numexpr gives them in rio-tiler', { skip: NO_TITILER }, () => {
  const random = seeded(3);
  const bands = [0, 1, 2].map(() => Array.from({ length: 37 }, () => 0.01 + 0.98 * random()));
  const told = askRio(TEXTS.map(text => ({ kind: 'expression', text: text.replaceAll('B1', 'b1'), bands })));
  for (const [i, text] of TEXTS.entries()) {
    const { values } = evaluate(text, bands);
    assert.equal(values.length, told[i]?.length, text);
    for (const [k, value] of values.entries()) {
      const expected = told[i]?.[k] as number;
      assert.ok(
        Math.abs(value - expected) <= 1e-12 * Math.max(1, Math.abs(expected)),
        `${text}: ${value} is not ${expected}`,
      );
    }
  }
});

test('integers are taken apart bit by bit, truths as a whole', () => {
  const at = (text: string) => evaluate(text, [[6], [3]]).values;
  assert.deepEqual(at('b1 & b2'), [2]);
  assert.deepEqual(at('b1 | b2'), [7]);
  assert.deepEqual(at('b1 ^ b2'), [5]);
  assert.deepEqual(at('b1 << 1; b1 >> 1'), [12, 3]);
  assert.deepEqual(at('~b1; ~(b1 > 5)'), [-7, 0]);
  assert.deepEqual(at('b1 // 4; -b1 // 4'), [1, -2]);
});

test('what has no value is invalid, and long inputs are chunked without a seam', () => {
  const { values, mask } = evaluate('b1/b2', [
    [0, 1, 4],
    [0, 0, 2],
  ]);
  assert.deepEqual([...mask], [0, 0, 255]);
  assert.equal(values[2], 2);
  const long = Array.from({ length: 10_000 }, (_, i) => i);
  assert.deepEqual(
    evaluate('b1+1', [long]).values,
    long.map(v => v + 1),
  );
});

const FAULTS: readonly (readonly [string, RegExp])[] = [
  ['', /ends where a value is expected at character 1/],
  ['b1+', /ends where a value is expected at character 4/],
  ['b1 b2', /"b2" is not expected at character 4/],
  ['b1 + $', /"\$" is not understood at character 6/],
  ['b9', /b9: the raster has bands b1 to b3 at character 1/],
  ['b0', /"b0" is neither a band/],
  ['red', /"red" is neither a band/],
  ['eval(b1)', /no function eval at character 1/],
  ['constructor(b1)', /no function constructor/],
  ['sin(b1', /a \) is expected to end sin at character 7/],
  ['sin(b1,b2)', /sin takes 1 values, not 2/],
  ['where(b1)', /where takes 3 values/],
  ['(b1', /a \) is expected at character 4/],
  ['b1)', /"\)" is not expected at character 3/],
  ['1<b1<2', /comparisons cannot be chained.* at character 5/],
  [`${'('.repeat(EXPRESSION_DEPTH_MAX + 1)}b1`, /nested too deeply/],
  ['b1+'.repeat(EXPRESSION_LENGTH_MAX), /characters; at most/],
  [`${'b1;'.repeat(20)}`, /20 bands; at most/],
];

test('what is wrong is refused with its place', () => {
  for (const [text, message] of FAULTS) {
    assert.throws(
      () => parseExpression(text, 3),
      (error: unknown) => error instanceof Problem && error.code === 'bad-parameter' && message.test(error.message),
      text.slice(0, 40),
    );
  }
});

test('bands that are named, and the type of the result', () => {
  assert.deepEqual(parseExpression('b3+b1*b3', 4).bands, [1, 3]);
  assert.deepEqual(parseExpression('1', 4).bands, []);
  assert.deepEqual(
    ['uint8', 'int16', 'float32', 'int32', 'float64'].map(t => expressionType(t as never)),
    ['float32', 'float32', 'float32', 'float64', 'float64'],
  );
});

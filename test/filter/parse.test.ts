/** CQL2 text and JSON: one tree, printed and read back, faults with their place, hostile input. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/errors.ts';
import { ARITHMETIC, COMPARISONS, type Node, SPATIAL, TEMPORAL } from '../../src/kernels/cql2/ast.ts';
import { parseJson, parseText, toJson, toText } from '../../src/kernels/cql2/index.ts';
import { foldAccents, foldCase, LikePattern } from '../../src/kernels/cql2/strings.ts';

const LIMITS = { maxLength: 16_384, maxDepth: 64 };
const RUNS = process.env.PLIMSOLL_TEST_FULL ? 20_000 : 400;

/** Text, and the JSON that means the same: every rule of the standard's grammar once. */
const SAME: readonly (readonly [string, unknown])[] = [
  ["town = 'Delft'", { op: '=', args: [{ property: 'town' }, 'Delft'] }],
  ['depth - 1.5E2 > 0', { op: '>', args: [{ op: '-', args: [{ property: 'depth' }, 150] }, 0] }],
  ["seen >= date('1971-02-03')", { op: '>=', args: [{ property: 'seen' }, { date: '1971-02-03' }] }],
  ['geom IS NOT NULL', { op: 'not', args: [{ op: 'isNull', args: [{ property: 'geom' }] }] }],
  ["name NOT LIKE 'Sm_th\\%%'", { op: 'not', args: [{ op: 'like', args: [{ property: 'name' }, 'Sm_th\\%%'] }] }],
  ['depth between -3 and 1 + 2', { op: 'between', args: [{ property: 'depth' }, -3, { op: '+', args: [1, 2] }] }],
  ["kind in ('a','b')", { op: 'in', args: [{ property: 'kind' }, ['a', 'b']] }],
  ['x NOT IN (1)', { op: 'not', args: [{ op: 'in', args: [{ property: 'x' }, [1]] }] }],
  [
    "CASEI(road) IN (casei('Οδος'), ACCENTI('Straße'))",
    {
      op: 'in',
      args: [
        { op: 'casei', args: [{ property: 'road' }] },
        [
          { op: 'casei', args: ['Οδος'] },
          { op: 'accenti', args: ['Straße'] },
        ],
      ],
    },
  ],
  [
    's_within(spot, BBOX(-18, 3.8, 100, -17.9, 4, 200))',
    { op: 's_within', args: [{ property: 'spot' }, { bbox: [-18, 3.8, 100, -17.9, 4, 200] }] },
  ],
  [
    'S_INTERSECTS(geometry, POLYGON Z((0 0 1, 1 0 1, 1 1 1, 0 0 1)))',
    {
      op: 's_intersects',
      args: [
        { property: 'geometry' },
        {
          type: 'Polygon',
          coordinates: [
            [
              [0, 0, 1],
              [1, 0, 1],
              [1, 1, 1],
              [0, 0, 1],
            ],
          ],
        },
      ],
    },
  ],
  [
    'S_EQUALS(GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1)), geom)',
    {
      op: 's_equals',
      args: [
        {
          type: 'GeometryCollection',
          geometries: [
            { type: 'Point', coordinates: [1, 2] },
            {
              type: 'LineString',
              coordinates: [
                [0, 0],
                [1, 1],
              ],
            },
          ],
        },
        { property: 'geom' },
      ],
    },
  ],
  [
    "T_FINISHEDBY(INTERVAL(a, b), INTERVAL('2001-01-01T00:00:00.50Z', '..'))",
    {
      op: 't_finishedBy',
      args: [{ interval: [{ property: 'a' }, { property: 'b' }] }, { interval: ['2001-01-01T00:00:00.5Z', '..'] }],
    },
  ],
  ["A_CONTAINS(eo:bands, ('a', TRUE, 1.0))", { op: 'a_contains', args: [{ property: 'eo:bands' }, ['a', true, 1]] }],
  ["A_OVERLAPS(tags, ('one'))", { op: 'a_overlaps', args: [{ property: 'tags' }, ['one']] }],
  ['FALSE <> Near(geometry, 100)', { op: '<>', args: [false, { op: 'Near', args: [{ property: 'geometry' }, 100] }] }],
  [
    'v = - a * 2 + "b c" / 6 - x ^ 2',
    {
      op: '=',
      args: [
        { property: 'v' },
        {
          op: '-',
          args: [
            {
              op: '+',
              args: [
                { op: '*', args: [{ op: '*', args: [-1, { property: 'a' }] }, 2] },
                { op: '/', args: [{ property: 'b c' }, 6] },
              ],
            },
            { op: '^', args: [{ property: 'x' }, 2] },
          ],
        },
      ],
    },
  ],
  [
    'NOT a = 1 AND b = 2 OR c = 3',
    {
      op: 'or',
      args: [
        {
          op: 'and',
          args: [
            { op: 'not', args: [{ op: '=', args: [{ property: 'a' }, 1] }] },
            { op: '=', args: [{ property: 'b' }, 2] },
          ],
        },
        { op: '=', args: [{ property: 'c' }, 3] },
      ],
    },
  ],
  ['7 = n div 2 % 3', { op: '=', args: [7, { op: '%', args: [{ op: 'div', args: [{ property: 'n' }, 2] }, 3] }] }],
  ["'it''s\\n' = x", { op: '=', args: ["it's\n", { property: 'x' }] }],
];

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, 'bad-filter');
    return error;
  }
  throw new Error('nothing was refused');
}

describe('CQL2 text and JSON', () => {
  for (const [text, json] of SAME) {
    test(text, () => {
      const tree = toJson(parseText(text, LIMITS));
      assert.deepEqual(JSON.parse(tree), json);
      assert.equal(toJson(parseJson(JSON.stringify(json), LIMITS)), tree);
      assert.equal(toJson(parseText(toText(parseText(text, LIMITS)), LIMITS)), tree);
    });
  }

  test('integers keep every digit', () => {
    const tree = parseText('n = 9007199254740993', LIMITS);
    assert.match(toJson(tree), /9007199254740993/);
    assert.equal(toJson(parseJson(toJson(tree), LIMITS)), toJson(tree));
  });

  test('equal instants are one: needless zeros and zones', () => {
    const canonical = toJson(parseText("t = TIMESTAMP('2012-08-10T05:30:00Z')", LIMITS));
    assert.equal(toJson(parseText("t = TIMESTAMP('2012-08-10T05:30:00.000Z')", LIMITS)), canonical);
    assert.equal(toJson(parseText("t = TIMESTAMP('2012-08-10T07:30:00+02:00')", LIMITS)), canonical);
  });
});

describe('faults tell their place', () => {
  const WRONG: readonly (readonly [string, number, RegExp])[] = [
    ["name = 'open", 7, /no closing quote/],
    ['a = 1 AND', 9, /ends where/],
    ['a = = 1', 4, /should stand here/],
    ['a BETWEEN 1 OR 2', 12, /AND and the upper end/],
    ['a ; 1', 2, /means nothing/],
    ["t = DATE('2021-02-30')", 9, /no RFC 3339/],
    ['S_WITHIN(geom, BBOX(1,2,3))', 15, /4 or 6/],
    ['S_WITHIN(geom, POLYGON((0 0, 1 1, 2 2)))', 22, /four points/],
    ['S_WITHIN(geom, LINESTRING(0 0))', 25, /two points/],
    ['S_WITHIN( )', 0, /s_within takes 2 arguments, not 0/],
    ['a = 1 OR T_AFTER(t)', 9, /t_after takes 2 arguments, not 1/],
    ["CASEI(a, b) = 'c'", 0, /casei takes 1 arguments, not 2/],
    ['A_EQUALS((1))', 0, /a_equals takes 2 arguments, not 1/],
    ['a = 1 b', 6, /AND, OR or the end/],
    ['2 ^ 3 ^ 4 = a', 6, /parentheses/],
    ['a IS 5', 5, /NULL/],
    ['x = 1e999', 4, /larger than/],
  ];
  for (const [text, at, detail] of WRONG) {
    test(text, () => {
      const { message, extra } = problemOf(() => parseText(text, LIMITS));
      assert.equal(extra['at'], at);
      assert.match(message, detail);
    });
  }

  test('JSON pointers', () => {
    const at = (json: unknown) => problemOf(() => parseJson(JSON.stringify(json), LIMITS)).extra['at'];
    assert.equal(at({ op: '=', args: [{ property: 5 }, 1] }), '/args/0/property');
    assert.equal(at({ op: 'and', args: [true, { op: '=', args: [1] }] }), '/args/1/args');
    assert.equal(at({ op: 's_meets', args: [] }), '/op');
    assert.equal(at({ op: '=', args: [{ date: 'yesterday' }, 1] }), '/args/0/date');
    assert.equal(at({ op: 's_within', args: [{ type: 'Point', coordinates: [1, 'x'] }, 1] }), '/args/0/coordinates/1');
    assert.equal(at(null), '');
  });
});

describe('hostile input', () => {
  test('deep nests of every kind end in bad-filter, never in a full stack', () => {
    const many = 5000;
    for (const text of [
      `${'('.repeat(many)}a = 1`,
      `${'NOT '.repeat(3000)}a = 1`,
      `a = ${'1 + '.repeat(3000)}1`,
      `a = ${'-('.repeat(many)}1`,
      `S_WITHIN(g, ${'GEOMETRYCOLLECTION('.repeat(700)}`,
      `A_EQUALS(${'('.repeat(many)}`,
      `${'f('.repeat(many)}`,
    ]) {
      problemOf(() => parseText(text, LIMITS));
    }
    for (const json of [`${'['.repeat(8000)}`, `${'{"op":"not","args":['.repeat(800)}`, `${'{"a":'.repeat(3000)}1`]) {
      problemOf(() => parseJson(json, LIMITS));
    }
    const nested = '{"op":"not","args":['.repeat(65) + 'true' + ']}'.repeat(65);
    assert.match(problemOf(() => parseJson(nested, LIMITS)).message, /filter.maxDepth/);
    assert.match(problemOf(() => parseText('x'.repeat(20_000), LIMITS)).message, /filter.maxLength/);
  });

  test('any text is a tree or bad-filter', () => {
    const words = fc.constantFrom(
      ...['(', ')', ',', "'a'", '"b"', 'a', '1', '-', '+', '*', '/', '^', '=', '<>', 'AND', 'OR', 'NOT', 'LIKE', 'IN'],
      ...[
        'BETWEEN',
        'IS',
        'NULL',
        'DATE(',
        'INTERVAL(',
        "'..'",
        'POINT(',
        'POLYGON((',
        'BBOX(',
        'S_WITHIN(',
        'A_EQUALS(',
      ],
      ...['CASEI(', 'TRUE', 'div', '%', '1e9', '\\', "'", '"', '\u0000', '💧'],
    );
    const attempt = (work: () => Node) => {
      try {
        return work();
      } catch (error) {
        assert.ok(error instanceof Problem || error instanceof SyntaxError, String(error));
        return null;
      }
    };
    const text = fc.oneof(
      fc.array(words, { maxLength: 24 }).map(all => all.join(' ')),
      fc.string({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, source => {
        const tree = attempt(() => parseText(source, LIMITS));
        if (tree) assert.equal(toJson(parseJson(toJson(tree), LIMITS)), toJson(tree));
        attempt(() => parseJson(source, LIMITS));
      }),
      { numRuns: RUNS * 3 },
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), source => void attempt(() => parseJson(source, LIMITS))),
      { numRuns: RUNS },
    );
  });
});

const at = 0;
const name = fc.oneof(
  fc.constantFrom('a', 'date', 'AND', 'eo:x', 'with "quotes"', 'Größe', '1st'),
  fc.string({ minLength: 1 }),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n + 0);
const position = fc.tuple(number, number).map(pair => [...pair]);
const instant = fc
  .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
  .chain(day => fc.boolean().map(date => ({ kind: 'instant' as const, date, text: textOf(day, date), at })));

function textOf(day: Date, date: boolean): string {
  const text = day.toISOString();
  return date ? text.slice(0, 10) : text.replace(/\.?0*Z$/, 'Z');
}

const property = name.map(text => ({ kind: 'property' as const, name: text, at }));
const { node } = fc.letrec<{ node: Node; scalar: Node }>(tie => {
  const call = <T extends string>(ops: readonly T[], ...args: fc.Arbitrary<Node>[]) =>
    fc
      .tuple(fc.constantFrom(...ops), fc.tuple(...args))
      .map(([op, all]) => ({ kind: 'call', op, args: all, at }) as Node);
  const scalar = fc.oneof(
    { depthSize: 'small' },
    property,
    fc.oneof(fc.string(), number, fc.boolean()).map(value => ({ kind: 'literal' as const, value, at })),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }).map(value => ({ kind: 'literal' as const, value, at })),
    instant,
    call(ARITHMETIC, tie('scalar'), tie('scalar')),
    call(['casei', 'accenti'], tie('scalar')),
  );
  const geometry = fc.oneof(
    property,
    position.map(coordinates => ({ kind: 'geometry' as const, value: { type: 'Point' as const, coordinates }, at })),
    fc
      .array(position, { minLength: 2, maxLength: 5 })
      .map(coordinates => ({ kind: 'geometry' as const, value: { type: 'LineString' as const, coordinates }, at })),
    fc.tuple(number, number).map(([x, y]) => ({ kind: 'bbox' as const, value: [x, y, y, y], at })),
  );
  const interval = fc
    .tuple(fc.oneof(instant, property, fc.constant('..' as const)), fc.oneof(instant, property))
    .map(([a, b]) => ({ kind: 'interval' as const, ends: [a, b] as const, at }));
  const list = fc
    .array(tie('scalar'), { minLength: 2, maxLength: 4 })
    .map(items => ({ kind: 'array' as const, items, at }));
  return {
    scalar,
    node: fc.oneof(
      { depthSize: 'small' },
      call(COMPARISONS, scalar, scalar),
      call(
        ['like'],
        property,
        fc.string().map(value => ({ kind: 'literal' as const, value, at })),
      ),
      call(['in'], scalar, list),
      call(['between'], scalar, scalar, scalar),
      call(['isNull'], scalar),
      call(SPATIAL, geometry, geometry),
      call(TEMPORAL, fc.oneof(interval, instant), fc.oneof(interval, property)),
      call(['a_equals', 'a_contains', 'a_containedBy', 'a_overlaps'], property, list),
      call(['not'], tie('node')),
      call(['and', 'or'], tie('node'), tie('node')),
      call(['and', 'or'], tie('node'), tie('node'), tie('node')),
    ),
  };
});

test('printing a tree and reading it back is the tree, in text and in JSON', () => {
  fc.assert(
    fc.property(node, tree => {
      const json = toJson(tree);
      const limits = { maxLength: 1e6, maxDepth: 200 };
      assert.equal(toJson(parseJson(json, limits)), json);
      assert.equal(toJson(parseText(toText(tree), limits)), json, toText(tree));
    }),
    { numRuns: RUNS * 2 },
  );
});

describe('texts', () => {
  test('case folding', () => {
    for (const [a, b] of ['STRASSE straße', 'ΟΔΟΣ οδος', 'ẞ ss', 'KØBENHAVN københavn', 'ﬁn FIN'].map(pair =>
      pair.split(' '),
    ))
      assert.equal(foldCase(a), foldCase(b));
    assert.notEqual(foldCase('ı'), foldCase('i'));
  });

  test('accents fold, voicing marks of kana stay', () => {
    assert.equal(foldAccents('Chișinău débárquér'), 'Chisinau debarquer');
    assert.equal(foldAccents('はじめ'), 'はじめ');
  });

  test('LIKE is what a regular expression says, and linear on hostile patterns', () => {
    const alphabet = fc.constantFrom('a', 'b', '%', '_', '\\', '💧', '.');
    const words = fc.array(alphabet, { maxLength: 8 }).map(all => all.join(''));
    fc.assert(
      fc.property(words, words, (text, pattern) => {
        assert.equal(
          new LikePattern(pattern).matches(text),
          likeByRegex(pattern).test(text),
          `${text} LIKE ${pattern}`,
        );
      }),
      { numRuns: RUNS * 3 },
    );
    assert.equal(new LikePattern(`${'%a'.repeat(2000)}b`).matches('a'.repeat(20_000)), false);
  });
});

function likeByRegex(pattern: string): RegExp {
  const parts = Array.from(pattern.matchAll(/\\(.)|(.)/gsu), ([, escaped, plain]) => {
    if (plain === '%') return '.*';
    if (plain === '_') return '.';
    return (escaped ?? plain).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su');
}

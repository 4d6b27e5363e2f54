import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BYTES_PATTERN, DURATION_PATTERN, formatBytes, parseBytes, parseDuration } from '../../src/config/units.ts';
import { editDistance, nearestNames } from '../../src/nearest.ts';

const sizes: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['1048576', 1048576],
  ['256MiB', 2 ** 28],
  ['256 MiB', 2 ** 28],
  ['256Mi', 2 ** 28],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['500KB', 500_000],
  ['500kB', 500_000],
  ['2TB', 2e12],
  ['7B', 7],
];

test('sizes', () => {
  for (const [text, value] of sizes) assert.deepEqual(parseBytes(text), { value }, text);
  for (const text of ['', '5e6', '-1', '1 .5', '256m', '256mib', '1,5GiB', '0.3B', '9007199254740993', 'MiB', '0x10']) {
    assert.ok('fault' in parseBytes(text), text);
  }
});

test('durations', () => {
  const durations = [
    ['1500ms', 1500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
  ] as const;
  for (const [text, value] of durations) assert.deepEqual(parseDuration(text), { value }, text);
  for (const text of ['', '5', '5 min', '-5s', '0.0001s', '1e3ms']) assert.ok('fault' in parseDuration(text), text);
});

test('what the schema pattern lets through to an editor is what the parser takes', () => {
  const text = fc.stringMatching(/^[0-9]{1,6}(\.[0-9]{1,2})? ?[a-zA-Z]{0,3}$/);
  fc.assert(
    fc.property(text, sample => {
      const whole = (fault: string) => fault.includes('whole number');
      const bytes = parseBytes(sample);
      assert.equal(new RegExp(BYTES_PATTERN).test(sample), 'value' in bytes || whole(bytes.fault), sample);
      const duration = parseDuration(sample);
      assert.equal(new RegExp(DURATION_PATTERN).test(sample), 'value' in duration || whole(duration.fault), sample);
    }),
  );
});

test('bytes for people', () => {
  assert.deepEqual([0, 1023, 1536, 2 ** 28, -2048].map(formatBytes), ['0 B', '1023 B', '1.5 KiB', '256 MiB', '-2 KiB']);
});

test('nearest names: swaps count once, far names are left out, long input costs nothing', () => {
  assert.equal(editDistance('prot', 'port'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.deepEqual(nearestNames('prot', ['port', 'host', 'cors']), ['port']);
  assert.deepEqual(nearestNames('roads', ['ne_10m_roads', 'rivers']), ['ne_10m_roads']);
  assert.deepEqual(nearestNames('zzz', ['port']), []);
  assert.deepEqual(nearestNames('x'.repeat(1e6), ['x'.repeat(1e6)]), []);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CALM, LEVEL_DEFAULTS, type LevelState, nextLevel } from '../../src/memory/levels.ts';

function run(pressures: number[], from: LevelState = CALM): LevelState {
  let atMs = 0;
  return pressures.reduce((state, pressure) => {
    atMs += 25;
    return nextLevel(state, { atMs, pressure, heapShare: 0, swap: 0 });
  }, from);
}

test('a level is entered on the third sample, not on a spike', () => {
  assert.equal(run([0.9, 0.9]).level, 'normal');
  assert.equal(run([0.9, 0.9, 0.5, 0.9, 0.9]).level, 'normal');
  assert.equal(run([0.7, 0.7, 0.7]).level, 'warning');
  assert.equal(run([0.9, 0.9, 0.9]).level, 'critical');
  assert.equal(run([0.75, 0.86, 0.75]).level, 'warning');
});

test('a level is left eight points lower', () => {
  const critical = run([0.9, 0.9, 0.9]);
  assert.equal(run([0.8, 0.8, 0.8, 0.8], critical).level, 'critical');
  assert.equal(run([0.76, 0.76], critical).level, 'critical');
  assert.equal(run([0.76, 0.76, 0.76], critical).level, 'warning');
  assert.equal(run([0.3, 0.3, 0.3], critical).level, 'normal');
  const warning = run([0.7, 0.7, 0.7]);
  assert.equal(run([0.63, 0.63, 0.63], warning).level, 'warning');
  assert.equal(run([0.61, 0.61, 0.61], warning).level, 'normal');
});

test('swap and a full heap are critical whatever the pressure', () => {
  for (const [samples, reading] of [
    [LEVEL_DEFAULTS.heapSamples + 2, { heapShare: 0.9, swap: 0 }],
    [3, { heapShare: 0, swap: 2 ** 30 }],
  ] as const) {
    let state = CALM;
    for (let i = 1; i <= samples; i++) {
      assert.equal(state.level, 'normal', `${i}`);
      state = nextLevel(state, { atMs: i, pressure: 0.2, ...reading });
    }
    assert.equal(state.level, 'critical');
    for (let i = 1; i <= 3; i++) state = nextLevel(state, { atMs: i, pressure: 0.2, heapShare: 0, swap: 0 });
    assert.equal(state.level, 'normal');
  }
});

test('garbage that is collected before ten samples are over is no full heap', () => {
  let state = CALM;
  for (let i = 1; i <= 200; i++) {
    const heapShare = i % LEVEL_DEFAULTS.heapSamples === 0 ? 0.81 : 0.9;
    state = nextLevel(state, { atMs: i, pressure: 0.2, heapShare, swap: 0 });
    assert.equal(state.level, 'normal');
  }
});

test('a planned exit after two seconds at 92 %, and not before', () => {
  const at = (state: LevelState, atMs: number, pressure: number) =>
    nextLevel(state, { atMs, pressure, heapShare: 0, swap: 0 });
  const begun = at(CALM, 1000, 0.95);
  assert.equal(at(begun, 2999, 0.95).drain, false);
  assert.equal(at(begun, 3000, 0.95).drain, true);
  assert.equal(at(at(begun, 2000, 0.91), 3000, 0.95).drain, false);
});

test('within the hysteresis no sequence changes the level', () => {
  const { warningAt, criticalAt, hysteresis } = LEVEL_DEFAULTS;
  const between = fc.array(fc.double({ min: warningAt - hysteresis, max: criticalAt - 1e-9, noNaN: true }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(between, pressures => {
      assert.notEqual(run(pressures, run([0.7, 0.7, 0.7])).level, 'normal');
    }),
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createPriceBook } from '../../src/admission/price.ts';

const cost = (bytes: number) => ({ inputBytes: bytes / 2, decodedBytes: bytes / 4, outputBytes: bytes / 4 });

test('before anything is learned the price is the cost', () => {
  assert.equal(createPriceBook().price({ inputBytes: 10, decodedBytes: 20.5, outputBytes: 5 }, 'tile', 'a'), 36);
});

test('the correction is the mean plus two deviations, per layer and operation', () => {
  const book = createPriceBook({ weight: 0.001 });
  for (const ratio of [1, 2, 3, 1, 2, 3]) book.learn('tile', 'a', cost(100), 100 * ratio);
  const price = book.price(cost(1000), 'tile', 'a');
  assert.ok(Math.abs(price - 1000 * (2 + 2 * Math.sqrt(2 / 3))) < 1, `${price}`);
  assert.equal(book.price(cost(1000), 'tile', 'b'), 1000);
  assert.equal(book.price(cost(1000), 'window', 'a'), 1000);
});

test('it covers nearly all jobs where the mean would cover half', () => {
  const book = createPriceBook();
  // A fixed sequence with two kinds of job, a third of them three times as dear.
  const ratios = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 3 : 1) + (i % 7) / 20);
  for (const ratio of ratios) book.learn('tile', 'a', cost(1000), 1000 * ratio);
  const covered = ratios.filter(ratio => book.price(cost(1000), 'tile', 'a') >= 1000 * ratio).length;
  assert.ok(covered / ratios.length > 0.95, `${covered} of ${ratios.length}`);
});

test('few samples correct nothing, and no sequence leaves 1 to 8', () => {
  const few = createPriceBook();
  for (let i = 0; i < 4; i++) few.learn('tile', 'a', cost(100), 800);
  assert.equal(few.price(cost(100), 'tile', 'a'), 100);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 60 }), peaks => {
      const book = createPriceBook();
      for (const peak of peaks) book.learn('tile', 'a', cost(100), peak);
      const price = book.price(cost(100), 'tile', 'a');
      assert.ok(price >= 100 && price <= 800, `${price}`);
    }),
  );
});

test('it forgets what changed', () => {
  const book = createPriceBook();
  for (let i = 0; i < 50; i++) book.learn('tile', 'a', cost(100), 700);
  for (let i = 0; i < 300; i++) book.learn('tile', 'a', cost(100), 100);
  assert.ok(book.price(cost(100), 'tile', 'a') < 105);
});

test('the table is bounded', () => {
  const book = createPriceBook({ entriesMax: 10 });
  for (let i = 0; i < 100; i++) book.learn('tile', `layer ${i}`, cost(100), 100);
  assert.equal(book.corrections().length, 10);
  assert.equal(book.corrections()[0].layer, 'layer 90');
});

/** Equal questions share one making, but nobody is told that another client is over its share. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFlight } from '../../src/cache/flight.ts';
import { type ErrorCode, problem } from '../../src/errors.ts';
import { inFlight } from '../../src/serve-flight.ts';

const none = new AbortController().signal;

/** What each of the clients is told, who ask the same at once, where the first of them fails with `code`. */
async function asked(clients: readonly string[], code: ErrorCode) {
  const flight = createFlight();
  const made: string[] = [];
  const answers = await Promise.all(
    clients.map(client =>
      inFlight(flight, 'tile', client, none, async () => {
        made.push(client);
        await new Promise(done => setImmediate(done));
        if (client === clients[0]) throw problem(code, 'no');
        return `for ${client}`;
      }).catch(error => error.code),
    ),
  );
  return { answers, made };
}

test('who shares the flight of a client over its share makes its own; clients alike share that too', async () => {
  const { answers, made } = await asked(['flood', 'one', 'one', 'two'], 'client-over-share');
  assert.deepEqual(answers, ['client-over-share', 'for one', 'for one', 'for two']);
  assert.deepEqual(made, ['flood', 'one', 'two']);
});

test('any other failure is everybody’s', async () => {
  const { answers, made } = await asked(['flood', 'one'], 'overloaded');
  assert.deepEqual(answers, ['overloaded', 'overloaded']);
  assert.deepEqual(made, ['flood']);
});

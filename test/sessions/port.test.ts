/** Over a real port: bodies that come slowly, stop, or are cut off; clients that read their refusal while still sending. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testApp } from '../lib/app.ts';
import { assertNothingHeld, get, grid, type Opened, open, point, remove, text } from './dashboard.ts';

const app = await testApp({ set: { 'sessions.maxBodyBytes': '4MiB' } });
await app.server.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.server.address() as AddressInfo;
after(() => app.close());

function sending({ id, secret }: Opened, name: string, headers: Record<string, string>): ClientRequest {
  return request({
    port,
    host: '127.0.0.1',
    method: 'PUT',
    path: `/sessions/${id}/layers/${name}`,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/geo+json', ...headers },
  });
}

async function answer(sent: ClientRequest): Promise<{ status: number; body: string }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return { status: response.statusCode ?? 0, body };
}

async function until(true_: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (true_()) return;
    await pause(5);
  }
  assert.fail(`not in time: ${what}`);
}

const inflight = () => app.memory.ledger.inUse.inflight;

test('a body of announced length is booked whole before its first byte, however slowly it comes', async () => {
  const session = await open(app);
  const body = text(grid(4000));
  const sent = sending(session, 'slow', { 'content-length': String(Buffer.byteLength(body)) });
  sent.flushHeaders();
  await until(() => inflight() > 0, 'the permit');
  assert.ok(inflight() >= Buffer.byteLength(body), `${inflight()} of ${Buffer.byteLength(body)}`);
  assert.ok(inflight() < 2 * Buffer.byteLength(body), 'what its index will take is not held while it is waited for');
  for (let at = 0; at < body.length; at += 1 << 17) {
    sent.write(body.slice(at, at + (1 << 17)));
    await pause(1);
  }
  sent.end();
  assert.equal((await answer(sent)).status, 201);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('a body of unknown length is booked ahead of what has come', async () => {
  const session = await open(app);
  const body = text(grid(8000));
  const sent = sending(session, 'chunked', {});
  sent.flushHeaders();
  await until(() => inflight() > 0, 'the permit');
  const first = inflight();
  assert.ok(first < Buffer.byteLength(body));
  const half = body.length >> 1;
  sent.write(body.slice(0, half));
  await until(() => inflight() >= half, 'the permit grown');
  sent.end(body.slice(half));
  const { status, body: answered } = await answer(sent);
  assert.equal(status, 201, answered);
  assert.equal(JSON.parse(answered).count, 8000);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('an upload that is cut off gives everything back, at any place', async () => {
  const session = await open(app);
  const body = text(grid(2000));
  for (const share of [0, 0.3, 0.99]) {
    for (const headers of [{ 'content-length': String(body.length) }, {}] as Record<string, string>[]) {
      const sent = sending(session, 'cut', headers);
      sent.on('error', () => {});
      sent.flushHeaders();
      await until(() => inflight() > 0, 'the permit');
      if (share > 0) sent.write(body.slice(0, body.length * share));
      await pause(10);
      sent.destroy();
      await until(() => inflight() === 0, 'the permit given back');
    }
  }
  const state = (await get(app, `/sessions/${session.id}`)).json();
  assert.deepEqual([state.bytes, state.layers], [0, []]);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('a client that goes on sending a refused body gets to read why, and may use its connection again', async () => {
  const session = await open(app);
  const tooLarge = 12 << 20;
  const announced = sending(session, 'big', { 'content-length': String(tooLarge) });
  announced.end(Buffer.alloc(tooLarge, 0x20));
  const first = await answer(announced);
  assert.equal(first.status, 413, first.body);
  assert.equal(JSON.parse(first.body).code, 'body-too-large');
  const chunked = sending(session, 'big', {});
  chunked.write(Buffer.alloc(6 << 20, 0x20));
  chunked.end(Buffer.alloc(6 << 20, 0x20));
  const second = await answer(chunked);
  assert.equal(second.status, 413, second.body);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

test('fetch and a proxy that asks for leave to send (100-continue) are served alike', async () => {
  const session = await open(app);
  const url = `http://127.0.0.1:${port}/sessions/${session.id}/layers/a`;
  const headers = { authorization: `Bearer ${session.secret}`, 'content-type': 'application/json; charset=utf-8' };
  const stream = new Blob([text(grid(100))]).stream();
  const fetched = await fetch(url, { method: 'PUT', headers, body: stream, duplex: 'half' } as RequestInit);
  assert.equal(fetched.status, 201);
  const sent = sending(session, 'b', { expect: '100-continue', 'content-length': String(text(point(1, 2)).length) });
  sent.flushHeaders();
  await once(sent, 'continue');
  sent.end(text(point(1, 2)));
  assert.equal((await answer(sent)).status, 201);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

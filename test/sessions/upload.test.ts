import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { announced, receiveBody } from '../../src/http/upload.ts';

/** Grants until `most`, and remembers the most that was ever asked for. */
function permitUpTo(bytes: number, most: number) {
  const permit = {
    bytes,
    waitedMs: 0,
    shrinkTo: () => {},
    grow: (extra: number) => {
      if (permit.bytes + extra > most) return false;
      permit.bytes += extra;
      return true;
    },
    release: () => {},
  };
  return permit;
}

function requestOf(body: Readable, headers: Record<string, string> = {}): FastifyRequest {
  return { headers, body } as unknown as FastifyRequest;
}

const MIB = 1 << 20;
// A machine under load may pause for long between two chunks; only the test of the stall itself is short.
const limits = { maxBytes: 8 * MIB, stallMs: 60_000 };

test('an upload from which nothing comes any more is given up', async () => {
  const body = new PassThrough();
  const request = requestOf(body);
  body.write('{"type":');
  const permit = permitUpTo(MIB, MIB);
  const impatient = { ...limits, stallMs: 30 };
  await assert.rejects(receiveBody(request, announced(request, limits.maxBytes), permit, impatient), {
    code: 'upload-stalled',
  });
  assert.equal(body.listenerCount('data'), 0);
});

test('no byte of a body of unknown size is held that the permit does not cover', async () => {
  const chunk = Buffer.alloc(100_000, 0x20);
  for (const packed of [false, true]) {
    const whole = Buffer.concat(Array.from({ length: 40 }, () => chunk));
    const body = packed ? Readable.from([gzipSync(whole)]) : Readable.from(Array.from({ length: 40 }, () => chunk));
    const request = requestOf(body, packed ? { 'content-encoding': 'gzip' } : {});
    const coming = announced(request, limits.maxBytes);
    const permit = permitUpTo(coming.firstBytes, 8 * MIB);
    const received = await receiveBody(request, coming, permit, limits);
    assert.equal(received.length, whole.length);
    assert.ok(whole.equals(received));
    assert.ok(permit.bytes >= received.length && permit.bytes < received.length * 1.6, `${permit.bytes}`);
  }
});

test('where the permit may not grow the upload is refused as overload, not as too large', async () => {
  const body = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(100_000)));
  const request = requestOf(body);
  const coming = announced(request, limits.maxBytes);
  const permit = permitUpTo(coming.firstBytes, MIB);
  await assert.rejects(receiveBody(request, coming, permit, limits), { code: 'overloaded' });
});

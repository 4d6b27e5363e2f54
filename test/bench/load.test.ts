import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { load } from '../../bench/lib/load.ts';
import { type Answer, responseReader } from '../../bench/lib/reader.ts';
import { digits, markdownTable, quantile } from '../../bench/lib/stats.ts';

const STREAM = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
    'HTTP/1.1 204 No Content\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na;x=y\r\n0123456789\r\n0\r\n\r\n' +
    'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
);

test('responses are told apart however the bytes arrive', () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const answers: Answer[] = [];
    const reader = responseReader(answer => answers.push(answer));
    for (let at = 0; at < STREAM.length; at += size) reader.feed(STREAM.subarray(at, at + size));
    assert.deepEqual(
      answers.map(({ status, bytes, close }) => [status, bytes, close]),
      [
        [200, 5, false],
        [204, 0, false],
        [200, 13, false],
        [503, 0, true],
      ],
    );
  }
});

test('a body without a length ends with the connection', () => {
  const answers: Answer[] = [];
  const reader = responseReader(answer => answers.push(answer));
  reader.feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\nabc'));
  assert.equal(answers.length, 0);
  reader.end();
  assert.equal(answers[0]?.bytes, 3);
});

test('a load of a count asks for each path in turn and counts what came back', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url === '/bad' ? 500 : 200).end('four');
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const result = await load({ port, paths: ['/a', '/b', '/bad'], connections: 2, count: 9, seconds: 30 });
  assert.deepEqual(asked.toSorted(), ['/a', '/a', '/a', '/b', '/b', '/b', '/bad', '/bad', '/bad']);
  assert.deepEqual(result.statuses, { 200: 6, 500: 3 });
  assert.equal(result.ok, 6);
  assert.equal(result.errors, 0);
  server.close();
  server.closeAllConnections();
});

test('a server that drops its connections is counted as errors, not as answers', async () => {
  const server = createServer(request => request.socket.destroy());
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const result = await load({ port, paths: ['/'], connections: 1, count: 3, seconds: 30 });
  assert.equal(result.ok, 0);
  assert.equal(result.errors, 3);
  server.close();
});

test('quantiles, digits and tables', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(quantile(values, 0.5), 50);
  assert.equal(quantile(values, 0.99), 99);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.deepEqual([1234.5, 12.345, 1.2345, 0.012345, 0].map(digits), ['1235', '12.3', '1.23', '0.012', '0']);
  assert.equal(markdownTable(['a', 'b'], [['x', '1']]), '| a | b |\n|---|--:|\n| x | 1 |');
});

/** A drain ends when clients have their answers, not when the kernel does. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { allSent, unsentBytes } from '../../src/http/unsent.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, queues: string) =>
  `   0: ${local} 0100007F:C6DE 01 ${queues} 00:00000000 00000000     0 0 1`;

test('bytes of this port are summed, of others not, whatever the family', () => {
  const table = [
    HEAD,
    row('00000000:2328', '00000000:00000005'),
    row('0100007F:2328', '000002A0:00000000'),
    row('0000000000000000FFFF00000100007F:2328', '00000010:00000000'),
    row('0100007F:2329', '00FF0000:00000000'),
    '',
  ].join('\n');
  assert.equal(unsentBytes(table, 9000), 0x2a0 + 0x10);
  assert.equal(unsentBytes(table, 9001), 0xff0000);
  assert.equal(unsentBytes('', 9000), 0);
});

test('it waits while bytes are on the way in either table, and not where there are no tables', async () => {
  let looks = 0;
  const left = [300, 200, 0];
  await allSent(9000, {
    read: path => {
      const queue = path.endsWith('6') ? (left[looks] as number).toString(16).padStart(8, '0') : '00000000';
      return `${HEAD}\n${row('0100007F:2328', `${queue}:00000000`)}\n`;
    },
    wait: async () => looks++,
  });
  assert.equal(looks, 2);
  await allSent(9000, { read: () => null, wait: () => assert.fail('nothing to wait for') });
});

const linux = existsSync('/proc/self/net/tcp') ? false : 'there is no /proc/self/net/tcp';

test('the kernel’s table shows what a client has not read, and is clean once it has', { skip: linux }, async () => {
  const bytes = 64 * 2 ** 20; // more than both ends hold
  const server = createServer(socket => socket.end(Buffer.alloc(bytes)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const client: Socket = connect(port, '127.0.0.1').pause();
  // Each look is a turn of the loop, in which the kernel fills.
  while (unsentBytes(readFileSync('/proc/self/net/tcp', 'latin1'), port) === 0) await new Promise(setImmediate);
  let received = 0;
  client.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
  await new Promise(resolve => client.once('end', resolve));
  await allSent(port);
  assert.equal(received, bytes);
  server.close();
});

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Expected } from '../../src/io/http/answer.ts';
import { createRangeClient, type FetchSettings, type RangeClient, type Resolve } from '../../src/io/http/client.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const BYTES = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
const LOCAL = ['127.0.0.0/8'];

let server: RangeServer;
before(async () => {
  server = await rangeServer();
  server.put('/a', BYTES, { etag: '"a"' });
});
after(() => server.close());

const clients: RangeClient[] = [];
afterEach(() => {
  server.fault = null;
  for (const client of clients.splice(0)) {
    const { running, waiting } = client.stats();
    assert.deepEqual([running, waiting], [0, 0], 'no request is left');
    client.close();
  }
});

function clientOf(settings: Partial<FetchSettings> = {}, resolve?: Resolve): RangeClient {
  const all = { timeoutMs: 2_000, concurrency: 4, retries: 0, addresses: LOCAL, ...settings };
  const client = resolve ? createRangeClient(all, resolve) : createRangeClient(all);
  clients.push(client);
  return client;
}

const known = { etag: '"a"', modified: 'Wed, 21 Oct 2015 07:28:00 GMT', size: BYTES.length };
const middle: Expected = { offset: 100, length: 50, known };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code?: string; extra?: { reason?: string } }) => error.code ?? String(error),
  );

/** Fails in time where it does not come true. */
async function until(come: () => boolean): Promise<void> {
  for (let turns = 0; !come(); turns++) {
    if (turns > 2_000) throw new Error('it has not come true');
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

type Wrong = (response: ServerResponse) => void;

/** Headers that are not written here are a good answer's. */
function sends(status: number, headers: Record<string, string | number> = {}, body: string | Uint8Array = ''): Wrong {
  return response => response.writeHead(status, headers).end(body);
}

const GOOD = { etag: '"a"', 'content-range': 'bytes 100-149/10000' };
const GOOD_BODY = BYTES.subarray(100, 150);

function head(changes: Record<string, string | number>): Wrong {
  return sends(206, { ...GOOD, 'last-modified': known.modified, 'content-length': 50, ...changes }, GOOD_BODY);
}

/** From now on the server does this to every request. */
function wrong(fault: Wrong): void {
  server.fault = (_, response) => {
    fault(response);
    return true;
  };
}

describe('ranges', () => {
  test('exactly the bytes asked for, and the facts of the file', async () => {
    const client = clientOf();
    const answer = await client.get(`${server.url}/a`, middle);
    assert.deepEqual([...answer.bytes], [...BYTES.subarray(100, 150)]);
    assert.deepEqual([answer.size, answer.etag], [10_000, '"a"']);
    const { headers } = server.requests.at(-1)!;
    assert.deepEqual(
      [headers.range, headers['if-match'], headers['accept-encoding']],
      ['bytes=100-149', '"a"', 'identity'],
    );
    const first = await client.get(`${server.url}/a`, { offset: 0, length: 65_536, known: null });
    assert.equal(first.bytes.length, 10_000);
  });

  test('a file with a date alone is asked for by its date', async () => {
    server.put('/dated', BYTES, { etag: null });
    const dated = { ...known, etag: null };
    await clientOf().get(`${server.url}/dated`, { ...middle, known: dated });
    assert.equal(server.requests.at(-1)!.headers['if-unmodified-since'], known.modified);
  });
});

describe('what servers do wrong', () => {
  const faults: [string, string, Wrong][] = [
    ['a whole body', 'remote-bad-answer', r => void r.writeHead(200, { 'content-length': 1e12 }).write('x')],
    ['no Content-Range', 'remote-bad-answer', sends(206, { etag: '"a"' }, GOOD_BODY)],
    ['another range', 'remote-bad-answer', head({ 'content-range': 'bytes 0-49/10000' })],
    ['a longer range', 'remote-bad-answer', head({ 'content-range': 'bytes 100-150/10000', 'content-length': 51 })],
    ['a range of no size', 'remote-bad-answer', head({ 'content-range': 'bytes 100-149/*' })],
    ['a range of nonsense', 'remote-bad-answer', head({ 'content-range': 'pages 1-2/3' })],
    ['another size', 'source-changed', head({ 'content-range': 'bytes 100-149/9999' })],
    ['another ETag', 'source-changed', head({ etag: '"b"' })],
    ['a huge Content-Length', 'remote-bad-answer', head({ 'content-length': 1e15 })],
    ['an encoding', 'remote-bad-answer', head({ 'content-encoding': 'gzip' })],
    ['a short body', 'remote-failed', sends(206, GOOD, 'x')],
    ['a long body', 'remote-bad-answer', sends(206, GOOD, 'x'.repeat(99))],
    ['a redirect', 'remote-redirected', sends(302, { location: 'http://169.254.169.254/x?secret' })],
    ['a redirect by name', 'remote-redirected', sends(308, { location: '/b' })],
    ['not found', 'remote-not-found', sends(404)],
    ['gone', 'remote-not-found', sends(410)],
    ['unauthorised', 'remote-denied', sends(401)],
    ['forbidden', 'remote-denied', sends(403)],
    ['a changed file', 'source-changed', sends(412)],
    ['a shrunk file', 'source-changed', sends(416)],
    ['a failure', 'remote-failed', sends(500)],
    ['too many requests', 'remote-failed', sends(429)],
    ['teapots', 'remote-bad-answer', sends(418)],
    ['a reset', 'remote-failed', r => void r.socket?.resetAndDestroy()],
    [
      'a reset in the body',
      'remote-failed',
      r => void r.writeHead(206, GOOD).write('x', () => r.socket?.resetAndDestroy()),
    ],
    ['headers without end', 'remote-failed', sends(206, { ...GOOD, 'x-long': 'x'.repeat(30_000) }, GOOD_BODY)],
  ];
  for (const [name, code, fault] of faults) {
    test(name, async () => {
      wrong(fault);
      assert.equal(await codeOf(clientOf().get(`${server.url}/a`, middle)), code);
    });
  }

  test('no validator at all, at first sight', async () => {
    server.put('/bare', BYTES, { etag: null, modified: null });
    assert.equal(
      await codeOf(clientOf().get(`${server.url}/bare`, { offset: 0, length: 9, known: null })),
      'remote-bad-answer',
    );
  });

  test('no answer, and one that drips, end in time', async () => {
    const client = clientOf({ timeoutMs: 120 });
    server.fault = () => true;
    assert.equal(await codeOf(client.get(`${server.url}/a`, middle)), 'remote-timeout');
    wrong(response => {
      response.writeHead(206, GOOD);
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    assert.equal(await codeOf(client.get(`${server.url}/a`, middle)), 'remote-timeout');
  });

  test('no server, and no such name', async () => {
    const gone = createServer();
    await new Promise<void>(resolve => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as { port: number };
    await new Promise(resolve => gone.close(resolve));
    assert.equal(await codeOf(clientOf().get(`http://127.0.0.1:${port}/a`, middle)), 'remote-failed');
    const nameless = clientOf({}, () => Promise.reject(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })));
    assert.equal(await codeOf(nameless.get('http://nowhere.example/a', middle)), 'remote-failed');
  });
});

describe('further tries', () => {
  test('a failure that passes is not told of', async () => {
    let left = 2;
    server.fault = (_, response) => {
      if (left-- > 0) response.writeHead(503).end();
      return response.writableEnded;
    };
    const client = clientOf({ retries: 2 });
    assert.equal(await codeOf(client.get(`${server.url}/a`, middle)), 'ok');
    assert.equal(client.stats().retries, 2);
  });

  test('there is an end to them, and what will not pass is not tried again', async () => {
    const count = async (status: number, retries: number) => {
      wrong(sends(status));
      const client = clientOf({ retries });
      await codeOf(client.get(`${server.url}/a`, middle));
      return client.stats().requests;
    };
    assert.equal(await count(502, 1), 2);
    assert.equal(await count(404, 2), 1);
    assert.equal(await count(429, 2), 1);
    assert.equal(await count(302, 2), 1);
  });
});

describe('at most so many at once', () => {
  test('the others wait, and leave the queue when they are told to', async () => {
    const client = clientOf({ concurrency: 4 });
    const held: (() => void)[] = [];
    wrong(response => held.push(() => head({})(response)));
    const leaving = new AbortController();
    const asked = [1, 2, 3].map(() => client.get(`${server.url}/a`, middle));
    const left = codeOf(client.get(`${server.url}/a`, middle, leaving.signal));
    await until(() => held.length === 2);
    assert.deepEqual([client.stats().running, client.stats().waiting], [2, 2]);
    leaving.abort(Object.assign(new Error('left'), { code: 'client-closed' }));
    assert.equal(await left, 'client-closed');
    server.fault = null;
    for (const end of held) end();
    assert.equal((await Promise.all(asked)).length, 3);
  });

  test('of one host half of them: a slow one leaves room for others', async () => {
    const client = clientOf({ concurrency: 2 });
    const held: (() => void)[] = [];
    wrong(response => held.push(() => head({})(response)));
    const slow = [1, 2].map(() => client.get(`${server.url}/a`, middle));
    await until(() => held.length === 1);
    server.fault = null;
    const other = server.url.replace('127.0.0.1', '127.0.0.2');
    assert.equal(
      await codeOf(client.get(`${other}/a`, middle)),
      'remote-failed',
      'nobody listens there, and it is told at once',
    );
    for (const end of held) end();
    await Promise.all(slow);
  });

  test('waiting has an end too', async () => {
    const client = clientOf({ concurrency: 1, timeoutMs: 150 });
    wrong(() => {});
    const asked = [1, 2, 3].map(() => codeOf(client.get(`${server.url}/a`, middle)));
    const [first, , last] = await Promise.all(asked);
    assert.deepEqual([first, last], ['remote-timeout', 'overloaded']);
  });

  test('one that is under way ends when it is told to, and its connection with it', async () => {
    const client = clientOf();
    let begun = false;
    wrong(() => {
      begun = true;
    });
    const leaving = new AbortController();
    const before = server.open();
    const work = codeOf(client.get(`${server.url}/a`, middle, leaving.signal));
    await until(() => begun);
    leaving.abort(Object.assign(new Error('left'), { code: 'client-closed' }));
    assert.equal(await work, 'client-closed');
    await until(() => server.open() <= before);
  });
});

describe('addresses', () => {
  const to = (...addresses: string[]) => addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));

  test('a name that is not public is refused before anything is connected', async () => {
    const seen = server.requests.length;
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1']) {
      const client = clientOf({ addresses: [] }, async () => to(address));
      const port = new URL(server.url).port;
      assert.equal(await codeOf(client.get(`http://public.example:${port}/a`, middle)), 'remote-forbidden', address);
    }
    assert.equal(server.requests.length, seen);
  });

  test('one bad address among good ones is one too many', async () => {
    const client = clientOf({ addresses: [] }, async () => to('8.8.8.8', '127.0.0.1'));
    assert.equal(await codeOf(client.get('http://both.example/a', middle)), 'remote-forbidden');
  });

  test('addresses in the URL are judged too, however they are written', async () => {
    const client = clientOf({ addresses: [] });
    const port = new URL(server.url).port;
    for (const host of [
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '017700000001',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
    ])
      assert.equal(await codeOf(client.get(`http://${host}:${port}/a`, middle)), 'remote-forbidden', host);
  });

  test('the connection goes to the address that was checked: a second look-up with another answer is another check', async () => {
    const answers = [to('127.0.0.1'), to('127.0.0.2')];
    const asked: string[] = [];
    const client = clientOf({ addresses: ['127.0.0.1/32'] }, async host => {
      asked.push(host);
      return answers.length > 1 ? answers.shift()! : answers[0];
    });
    const url = `http://rebinding.example:${new URL(server.url).port}/a`;
    assert.equal(await codeOf(client.get(url, middle)), 'ok');
    assert.deepEqual(asked, ['rebinding.example']);
    // Its connection is kept, to the address that it was checked for; a new one is checked anew.
    const [one, two] = await Promise.all([codeOf(client.get(url, middle)), codeOf(client.get(url, middle))]);
    assert.deepEqual([one, two].sort(), ['ok', 'remote-forbidden']);
  });
});

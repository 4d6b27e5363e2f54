/** HTTPS for real: a certificate that is trusted by the process, and one that is not. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const openssl = () => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'openssl is not here';
  }
};

const CLIENT = `
import { createRangeClient } from ${JSON.stringify(new URL('../../src/io/http/client.ts', import.meta.url).href)};
const client = createRangeClient(
  { timeoutMs: 5000, concurrency: 2, retries: 0, addresses: ['127.0.0.1'] },
  async () => [{ address: '127.0.0.1', family: 4 }],
);
const codes = [];
for (const host of ['cogs.example', 'other.example']) {
  try {
    const { bytes } = await client.get('https://' + host + ':' + process.argv[1] + '/a', { offset: 0, length: 4, known: null });
    codes.push(Buffer.from(bytes).toString());
  } catch (error) {
    codes.push(error.code);
  }
}
client.close();
console.log(codes.join());
`;

function run(port: number, env: Record<string, string>): Promise<string> {
  const args = ['--input-type=module', '-e', CLIENT, String(port)];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', chunk => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', () => resolve(text.trim()));
  });
}

test('a certificate is checked, with the name in the URL, though the address is pinned', {
  skip: openssl(),
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-tls-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => join(folder, name));
  const subject = ['-subj', '/CN=cogs.example', '-addext', 'subjectAltName=DNS:cogs.example'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  );
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.writeHead(206, { etag: '"1"', 'content-range': 'bytes 0-3/4' }).end('good');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const [trusted, untrusted] = await Promise.all([run(port, { NODE_EXTRA_CA_CERTS: cert }), run(port, {})]);
    assert.equal(trusted, 'good,remote-failed');
    assert.equal(untrusted, 'remote-failed,remote-failed');
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

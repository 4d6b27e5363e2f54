import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAddressRules, parseRange } from '../../src/io/http/addresses.ts';
import { type AllowRule, judgeUrl, parseAllowRule, shown } from '../../src/io/http/allow.ts';

const REFUSED = `
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 127.255.0.9 168.63.129.16
169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.7 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255
198.51.100.3 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 ::7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 3fff:fff::1
fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1 5f00::1
localhost 127.1 0x7f000001 2130706433 017700000001 1.2.3 1.2.3.4.5 :::1`.trim();

const PUBLIC = `
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 172.15.0.1 172.32.0.1
192.0.1.1 192.167.255.255 192.169.0.1 198.17.0.1 198.20.0.1 223.255.255.255
2000::1 2001:200::1 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1 3ffe::1`.trim();

describe('addresses', () => {
  test('what is not public is refused, whatever it is written as', () => {
    const rules = createAddressRules([]);
    for (const address of REFUSED.split(/\s+/)) assert.equal(rules.allows(address), false, address);
    for (const address of PUBLIC.split(/\s+/)) assert.equal(rules.allows(address), true, address);
  });

  test('a range that is named is allowed, and nothing beside it', () => {
    const rules = createAddressRules(['127.0.0.0/8', 'fd00::/8', '10.1.2.3']);
    for (const address of ['127.0.0.1', '127.9.9.9', 'fd12::1', '10.1.2.3', '8.8.8.8'])
      assert.equal(rules.allows(address), true, address);
    for (const address of ['10.1.2.4', 'fc00::1', '::1', '169.254.169.254', '64:ff9b::7f00:1'])
      assert.equal(rules.allows(address), false, address);
  });

  test('ranges are read whole or not at all', () => {
    assert.deepEqual(parseRange('10.0.0.0/8'), { address: '10.0.0.0', prefix: 8, family: 'ipv4' });
    assert.deepEqual(parseRange('::1'), { address: '::1', prefix: 128, family: 'ipv6' });
    for (const bad of [
      '',
      '10.0.0.0/33',
      '10.0.0/8',
      '::1/129',
      'localhost',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      'fe80::1%lo',
    ])
      assert.equal(parseRange(bad), null, bad);
  });
});

const rulesOf = (...lines: string[]): AllowRule[] =>
  lines.map(line => {
    const rule = parseAllowRule(line);
    assert.ok(rule, line);
    return rule;
  });

const reasonOf = (url: string, rules: AllowRule[]): string => {
  try {
    return judgeUrl(url, rules).href;
  } catch (error) {
    const { code, extra } = error as { code: string; extra: { reason?: string } };
    return code === 'remote-forbidden' ? `${extra.reason}` : code;
  }
};

describe('the list of URLs', () => {
  test('nothing without a list', () => assert.equal(reasonOf('https://example.org/a.tif', []), 'off'));

  test('scheme, host, port and path, each as URL has it', () => {
    const rules = rulesOf('https://data.example.org/cogs/', 'http://10.0.0.7:8080', 'https://*.buckets.example');
    for (const [url, reason] of [
      ['https://data.example.org/cogs/a.tif', 'https://data.example.org/cogs/a.tif'],
      ['https://data.example.org:443/cogs/a.tif#x', 'https://data.example.org/cogs/a.tif'],
      ['HTTPS://DATA.example.ORG/cogs/a%20b.tif?s=1', 'https://data.example.org/cogs/a%20b.tif?s=1'],
      ['http://0xa.0.0.7:8080/x', 'http://10.0.0.7:8080/x'],
      ['http://167772167:8080/x', 'http://10.0.0.7:8080/x'],
      ['https://a.b.buckets.example/x', 'https://a.b.buckets.example/x'],
      ['https://buckets.example/x', 'host'],
      ['https://evilbuckets.example/x', 'host'],
      ['https://x.buckets.example.evil.org/x', 'host'],
      ['http://data.example.org/cogs/a.tif', 'host'],
      ['https://data.example.org:8443/cogs/a.tif', 'host'],
      ['https://data.example.org./cogs/a.tif', 'host'],
      ['http://10.0.0.7/x', 'host'],
      ['https://data.example.org/cogs', 'path'],
      ['https://data.example.org/cogs-private/a.tif', 'path'],
      ['https://data.example.org/cogs/../secret.tif', 'path'],
      ['https://data.example.org/cogs/%2e%2e/secret.tif', 'path'],
      ['https://data.example.org/cogs/..%2fsecret.tif', 'path'],
      ['https://data.example.org/cogs/a%5c..%5csecret.tif', 'path'],
      ['https://user:pw@data.example.org/cogs/a.tif', 'credentials'],
      ['https://data.example.org@evil.org/cogs/a.tif', 'credentials'],
      ['ftp://data.example.org/cogs/a.tif', 'scheme'],
      ['s3://bucket/a.tif', 'scheme'],
      ['file:///etc/passwd', 'scheme'],
      ['https://', 'bad-parameter'],
      ['https://exa mple.org/', 'bad-parameter'],
      [`https://data.example.org/cogs/${'x'.repeat(5000)}`, 'length'],
    ])
      assert.equal(reasonOf(url, rules), reason, url);
  });

  test('every host, any port', () => {
    const rules = rulesOf('http://*:*/tiles');
    assert.equal(reasonOf('http://any.example:81/tiles/a', rules), 'http://any.example:81/tiles/a');
    assert.equal(reasonOf('https://any.example/tiles/a', rules), 'host');
  });

  test('lines that say something else are refused', () => {
    for (const bad of [
      'example.org',
      'ftp://example.org',
      'https://',
      'https://a*.org',
      'https://*.*.org',
      'https://u:p@a.org',
      'https://a.org?x',
    ])
      assert.equal(parseAllowRule(bad), null, bad);
  });

  test('queries and passwords are not told of', () => {
    assert.equal(shown('https://u:p@a.org/x.tif?signature=1#2'), 'https://…@a.org/x.tif');
    assert.ok(shown(`https://a.org/${'x'.repeat(500)}`).length <= 160);
  });
});

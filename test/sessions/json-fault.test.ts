import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonFault } from '../../src/sessions/json-fault.ts';

const whole = '{"a":[1,-2.5e+3,{"b":null}],"ü\\n\\u00e9":"x\\"y","":true,"e":[],"o":{}}';

test('a text is JSON here exactly where JSON.parse takes it, whatever one byte of it is changed to', () => {
  const bytes = new Uint8Array(Buffer.from(whole));
  assert.equal(jsonFault(bytes), null);
  for (let i = 0; i < bytes.length; i++) {
    for (const byte of Buffer.from('{}[]",:0.-e+t\\ x\n')) {
      const changed = bytes.slice();
      changed[i] = byte;
      assert.equal(jsonFault(changed) === null, parses(changed), Buffer.from(changed).toString());
    }
  }
});

test('a text that is cut off is at fault where it ends, or where the token that was cut begins', () => {
  const bytes = new Uint8Array(Buffer.from(whole));
  for (let end = 1; end < bytes.length; end++) {
    const cut = bytes.subarray(0, end);
    const fault = jsonFault(cut);
    assert.ok(fault !== null && fault <= end, `${end}: ${fault}`);
    // What stands before the fault is the beginning of JSON.
    assert.equal(Buffer.from(bytes.subarray(0, fault)).toString(), Buffer.from(cut.subarray(0, fault)).toString());
  }
});

test('the fault is at the token that cannot stand there', () => {
  for (const [text, at] of [
    ['{"a":b}', 5],
    ['{"a":NaN}', 5],
    ['[1,2,]', 5],
    ['{"é":"ü", "x": 01}', 17],
    ['1 2', 2],
    ['{"a" 1}', 5],
  ] as const) {
    assert.equal(jsonFault(new Uint8Array(Buffer.from(text))), at, text);
  }
});

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString());
    return true;
  } catch {
    return false;
  }
}

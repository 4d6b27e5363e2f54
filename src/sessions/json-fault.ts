/**
 * Where a text stops being JSON. JSON.parse names the token and for most errors not its place, which in an upload of
 * megabytes is the half that helps. Walked only once JSON.parse has refused the text.
 */

const SPACE = /[ \n\r\t]*/y;
/** All but control characters, the quote and the backslash stand for themselves. */
const STRING = /"[ !#-[\]-\xff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\xff]*)*"/y;
const WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

type Expected = 'value' | 'first value' | 'name' | 'first name' | 'colon' | 'more' | 'end';

/** Offset of the token that cannot stand where it does; the end where the text ends too early; null: it is JSON. */
export function jsonFault(bytes: Uint8Array): number | null {
  // Latin 1 makes a character of every byte, so offsets are the same; what is between quotes is not looked at.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  /** The brackets that must close what is open. */
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = matchEnd(SPACE, text, at) ?? at;
    const char = text[at];
    if (char === undefined) return expected === 'end' ? null : at;
    const mayClose = expected === 'more' || expected === 'first value' || expected === 'first name';
    let end: number | null = at + 1;
    if (mayClose && char === open.at(-1)) {
      open.pop();
      expected = open.length === 0 ? 'end' : 'more';
    } else if (expected === 'more' && char === ',') expected = open.at(-1) === '}' ? 'name' : 'value';
    else if (expected === 'colon' && char === ':') expected = 'value';
    else if (expected === 'name' || expected === 'first name') {
      end = matchEnd(STRING, text, at);
      expected = 'colon';
    } else if (expected !== 'value' && expected !== 'first value') return at;
    else if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']');
      expected = char === '{' ? 'first name' : 'first value';
    } else {
      end = matchEnd(char === '"' ? STRING : WORD, text, at);
      expected = open.length === 0 ? 'end' : 'more';
    }
    if (end === null) return at;
    at = end;
  }
}

function matchEnd(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

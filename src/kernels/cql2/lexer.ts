/** Words of CQL2 text, each with its place. */
import { fault } from './ast.ts';

export type TokenKind = 'name' | 'quoted' | 'string' | 'number' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** A name as written, a string or quoted name without its quotes and escapes, digits of a number, a symbol. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

/** The standard's identifierStart and identifierPart (annex B); a colon and a full stop among them. */
const START =
  ':_A-Za-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFE\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const NAME = new RegExp(`[${START}][${START}.0-9\\u0300-\\u036F\\u203F\\u2040]*`, 'uy');
const WHOLE_NAME = new RegExp(`^[${START}][${START}.0-9\\u0300-\\u036F\\u203F\\u2040]*$`, 'u');
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SPACE = /[\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*/y;
const SYMBOL = /<>|<=|>=|[=<>(),+\-*/%^]/y;

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  "'": "'",
  '\\': '\\',
};

export function isPlainName(text: string): boolean {
  return WHOLE_NAME.test(text);
}

/** The token that begins at `from` or after the space there. */
export function tokenAt(source: string, from: number): Token {
  const at = matched(SPACE, source, from);
  const char = source[at];
  if (char === undefined) return { kind: 'end', text: '', at, end: at };
  if (char === "'") return stringToken(source, at);
  if (char === '"') return quotedToken(source, at);
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['symbol', SYMBOL],
    ['name', NAME],
  ] as const) {
    const end = matched(pattern, source, at);
    if (end > at) return { kind, text: source.slice(at, end), at, end };
  }
  const odd = String.fromCodePoint(source.codePointAt(at) as number);
  throw fault(at, `${JSON.stringify(odd)} means nothing in CQL2`, odd);
}

function matched(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at;
}

/** A quote inside is doubled or has a backslash before it; \a \b \t \n \v \f \r and \\ are what they are in C; any other backslash stands for itself. */
function stringToken(source: string, at: number): Token {
  const parts: string[] = [];
  let from = at + 1;
  for (let i = from; i < source.length; i++) {
    const char = source[i];
    if (char === '\\') {
      const meant = ESCAPES[source[i + 1]];
      if (meant === undefined) continue;
      parts.push(source.slice(from, i), meant);
      from = i + 2;
      i++;
    } else if (char === "'") {
      if (source[i + 1] !== "'")
        return { kind: 'string', text: parts.join('') + source.slice(from, i), at, end: i + 1 };
      parts.push(source.slice(from, i), "'");
      from = i + 2;
      i++;
    }
  }
  throw fault(at, 'a text begins here and has no closing quote', source.slice(at));
}

/** A property name in double quotes, of any characters; a double quote inside is doubled. */
function quotedToken(source: string, at: number): Token {
  let text = '';
  let from = at + 1;
  for (;;) {
    const to = source.indexOf('"', from);
    if (to < 0) throw fault(at, 'a name begins here and has no closing quote', source.slice(at));
    text += source.slice(from, to);
    if (source[to + 1] !== '"') {
      if (text === '') throw fault(at, 'a name in quotes is empty', '""');
      return { kind: 'quoted', text, at, end: to + 1 };
    }
    text += '"';
    from = to + 2;
  }
}

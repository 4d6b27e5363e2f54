/**
 * Band expressions in numexpr's language, which is what titiler takes: `(b1-b2)/(b1+b2);where(b1>0,b1,0)`. A part for each
 * `;` makes a band. Precedence is Python's. Refused with the place of what offends, in characters from 1.
 */
import { problem } from '../../errors.ts';
import { type FunctionName, isFunction, PARAMETERS } from './functions.ts';

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '**'
  | '<'
  | '<='
  | '=='
  | '!='
  | '>='
  | '>'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>';

export type Node =
  | { readonly kind: 'number'; readonly value: number }
  /** `band` counts from 1. */
  | { readonly kind: 'band'; readonly band: number }
  | { readonly kind: 'unary'; readonly operator: '-' | '~'; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly of: readonly Node[] };

export interface Expression {
  /** One for each band of the result. */
  readonly parts: readonly Node[];
  /** Bands that are named, from 1, ascending. */
  readonly bands: readonly number[];
}

/** What a URL may ask for: longer texts and deeper nesting are refused before they are looked at. */
export const EXPRESSION_LENGTH_MAX = 2048;
export const EXPRESSION_DEPTH_MAX = 64;
export const EXPRESSION_PARTS_MAX = 16;

interface Token {
  readonly kind: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  /** Characters before it. */
  readonly at: number;
}

const TOKEN =
  /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%<>&|^~(),;]))/y;

/** Binding strength of what stands between two values. */
const STRENGTH: Readonly<Record<BinaryOperator, number>> = {
  '<': 1,
  '<=': 1,
  '==': 1,
  '!=': 1,
  '>=': 1,
  '>': 1,
  '|': 2,
  '^': 3,
  '&': 4,
  '<<': 5,
  '>>': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '//': 7,
  '%': 7,
  '**': 9,
};
const COMPARISON = 1;
const UNARY = 8;
const POWER = 9;

/** Throws bad-parameter with the position; `bands` is how many the raster has. */
export function parseExpression(text: string, bands: number): Expression {
  if (text.length > EXPRESSION_LENGTH_MAX)
    throw problem('bad-parameter', `expression: ${text.length} characters; at most ${EXPRESSION_LENGTH_MAX} are taken`);
  const parser = new Parser(tokensOf(text), text, bands);
  const parts = parser.all();
  return { parts, bands: [...parser.named].sort((a, b) => a - b) };
}

function fault(text: string, at: number, what: string): Error {
  return problem('bad-parameter', `expression: ${what} at character ${at + 1} of "${text.slice(0, 80)}"`, {
    parameter: 'expression',
    position: at + 1,
  });
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) {
      const wrong = at + (text.slice(at).length - text.slice(at).trimStart().length);
      throw fault(text, wrong, `"${text[wrong]}" is not understood`);
    }
    const [whole, number, name, operator] = match;
    const own = (number ?? name ?? operator) as string;
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'operator';
    tokens.push({ kind, text: own, at: at + whole.length - own.length });
    at += whole.length;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return tokens;
}

class Parser {
  readonly named = new Set<number>();
  readonly #tokens: readonly Token[];
  readonly #text: string;
  readonly #bands: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], text: string, bands: number) {
    this.#tokens = tokens;
    this.#text = text;
    this.#bands = bands;
  }

  all(): Node[] {
    const parts = [this.#value(0)];
    while (this.#take(';')) if (this.#peek().kind !== 'end') parts.push(this.#value(0));
    const left = this.#peek();
    if (left.kind !== 'end') throw this.#fault(left, `"${left.text}" is not expected`);
    if (parts.length > EXPRESSION_PARTS_MAX)
      throw problem('bad-parameter', `expression: ${parts.length} bands; at most ${EXPRESSION_PARTS_MAX} are made`);
    return parts;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'operator' || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #fault(token: Token, what: string): Error {
    return fault(this.#text, token.at, what);
  }

  /** Precedence climbing: everything that binds stronger than `weakest`. */
  #value(weakest: number): Node {
    if (++this.#depth > EXPRESSION_DEPTH_MAX) throw this.#fault(this.#peek(), 'it is nested too deeply');
    let left = this.#unary();
    for (;;) {
      const token = this.#peek();
      const strength = token.kind === 'operator' ? STRENGTH[token.text as BinaryOperator] : undefined;
      if (strength === undefined || strength <= weakest) break;
      this.#next++;
      const operator = token.text as BinaryOperator;
      const right = this.#value(strength === POWER ? POWER - 1 : strength);
      left = { kind: 'binary', operator, left, right };
      const chained = this.#peek();
      if (strength === COMPARISON && STRENGTH[chained.text as BinaryOperator] === COMPARISON)
        throw this.#fault(chained, 'comparisons cannot be chained: join them with &');
    }
    this.#depth--;
    return left;
  }

  #unary(): Node {
    if (this.#take('-')) return { kind: 'unary', operator: '-', of: this.#value(UNARY - 1) };
    if (this.#take('~')) return { kind: 'unary', operator: '~', of: this.#value(UNARY - 1) };
    if (this.#take('+')) return this.#value(UNARY - 1);
    return this.#primary();
  }

  #primary(): Node {
    const token = this.#peek();
    if (token.kind === 'end') throw this.#fault(token, 'it ends where a value is expected');
    this.#next++;
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'name') return this.#name(token);
    if (token.text !== '(') throw this.#fault(token, `"${token.text}" stands where a value is expected`);
    const inner = this.#value(0);
    if (!this.#take(')')) throw this.#fault(this.#peek(), 'a ) is expected');
    return inner;
  }

  #name(token: Token): Node {
    if (this.#take('(')) return this.#call(token);
    if (token.text === 'True' || token.text === 'False')
      return { kind: 'number', value: token.text === 'True' ? 1 : 0 };
    const band = /^[bB]([1-9]\d{0,4})$/.exec(token.text);
    if (!band) throw this.#fault(token, `"${token.text}" is neither a band (b1 …) nor a function`);
    const number = Number(band[1]);
    if (number > this.#bands) throw this.#fault(token, `${token.text}: the raster has bands b1 to b${this.#bands}`);
    this.named.add(number);
    return { kind: 'band', band: number };
  }

  #call(token: Token): Node {
    const name = token.text;
    if (!isFunction(name)) throw this.#fault(token, `there is no function ${name}`);
    const of: Node[] = [];
    if (!this.#take(')')) {
      do of.push(this.#value(0));
      while (this.#take(','));
      if (!this.#take(')')) throw this.#fault(this.#peek(), `a ) is expected to end ${name}`);
    }
    const wanted = PARAMETERS[name];
    if (of.length !== wanted) throw this.#fault(token, `${name} takes ${wanted} values, not ${of.length}`);
    return { kind: 'call', name, of };
  }
}

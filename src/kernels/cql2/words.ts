/** A text of CQL2 word by word, for those who parse it. */
import { type FilterLimits, fault, tooDeep } from './ast.ts';
import { type Token, tokenAt } from './lexer.ts';

/** Tokens one at a time, and how deep the parser is. */
export class Words {
  readonly #source: string;
  readonly limits: FilterLimits;
  #token: Token;
  #ahead: Token | null = null;
  #depth = 0;

  constructor(source: string, limits: FilterLimits) {
    this.#source = source;
    this.limits = limits;
    this.#token = tokenAt(source, 0);
  }

  get token(): Token {
    return this.#token;
  }

  /** The token behind this one. */
  next(): Token {
    this.#ahead ??= tokenAt(this.#source, this.#token.end);
    return this.#ahead;
  }

  take(): Token {
    const taken = this.#token;
    this.#token = this.next();
    this.#ahead = null;
    return taken;
  }

  /** True where the token is this word, in any case. Names in quotes are no words. */
  isWord(word: string): boolean {
    return this.#token.kind === 'name' && this.#token.text.toUpperCase() === word;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.take();
    return true;
  }

  isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === symbol;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.take();
    return true;
  }

  expect(symbol: string, where: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(`"${symbol}" ${where}`);
  }

  expectEnd(): void {
    if (this.#token.kind !== 'end') throw this.unexpected('AND, OR or the end of the filter');
  }

  unexpected(wanted: string): Error {
    const { kind, text, at, end } = this.#token;
    if (kind === 'end') return fault(at, `the filter ends where ${wanted} should follow`, '');
    return fault(at, `${wanted} should stand here`, kind === 'string' ? this.#source.slice(at, end) : text);
  }

  deeper<T>(inner: () => T): T {
    if (++this.#depth > this.limits.maxDepth) throw tooDeep(this.#token.at, this.limits);
    const found = inner();
    this.#depth--;
    return found;
  }
}

/** Integers beyond 2^53 keep their digits. */
export function numberOf({ text, at }: Token, minus: boolean): number | bigint {
  const n = Number(text) * (minus ? -1 : 1) + 0;
  if (!Number.isFinite(n)) throw fault(at, `${text.slice(0, 80)} is larger than any number`, text);
  if (Number.isSafeInteger(n) || !/^\d+$/.test(text)) return n;
  return BigInt(text) * (minus ? -1n : 1n);
}

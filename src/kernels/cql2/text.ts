/** CQL2 text to the tree. Recursive descent over the standard's grammar; what types fit is said later, by whoever knows them. */
import {
  ARITHMETIC,
  ARRAYS,
  COMPARISONS,
  checkCount,
  type FilterLimits,
  fault,
  type InstantNode,
  type IntervalEnd,
  isOneOf,
  type Node,
  OP_NAMES,
  type Op,
  SPATIAL,
  TEMPORAL,
} from './ast.ts';
import { checkDepth } from './depth.ts';
import { canonicalDate, canonicalTimestamp } from './time.ts';
import { isGeometryWord, readBox, readGeometry } from './wkt.ts';
import { numberOf, Words } from './words.ts';

/** Errors: bad-filter with the offset (in UTF-16 units) and the token. */
export function parseText(source: string, limits: FilterLimits): Node {
  if (source.length > limits.maxLength) {
    const detail = `the filter has ${source.length} characters; at most ${limits.maxLength} (filter.maxLength)`;
    throw fault(limits.maxLength, detail);
  }
  const parser = new TextParser(source, limits);
  const node = parser.expression();
  parser.expectEnd();
  checkDepth(node, limits);
  return node;
}

class TextParser extends Words {
  expression(): Node {
    return this.deeper(() => this.#joined('OR', 'or', () => this.#joined('AND', 'and', () => this.#factor())));
  }

  #joined(word: string, op: Op, inner: () => Node): Node {
    const { at } = this.token;
    const args = [inner()];
    while (this.takeWord(word)) args.push(inner());
    return args.length === 1 ? args[0] : { kind: 'call', op, args, at };
  }

  #factor(): Node {
    const { at } = this.token;
    if (!this.takeWord('NOT')) return this.#predicate();
    return { kind: 'call', op: 'not', args: [this.deeper(() => this.#factor())], at };
  }

  #predicate(): Node {
    const left = this.#sum();
    const { at, text } = this.token;
    if (this.token.kind === 'symbol' && isOneOf(COMPARISONS, text)) {
      this.take();
      return { kind: 'call', op: text, args: [left, this.#sum()], at };
    }
    if (this.takeWord('IS')) {
      const negated = this.takeWord('NOT');
      if (!this.takeWord('NULL')) throw this.unexpected('NULL');
      return negate(negated, { kind: 'call', op: 'isNull', args: [left], at });
    }
    const negated = this.isWord('NOT');
    if (negated) this.take();
    if (this.takeWord('LIKE')) return negate(negated, { kind: 'call', op: 'like', args: [left, this.#sum()], at });
    if (this.takeWord('BETWEEN')) return negate(negated, this.#between(left, at));
    if (this.takeWord('IN')) return negate(negated, { kind: 'call', op: 'in', args: [left, this.#list()], at });
    if (negated) throw this.unexpected('LIKE, BETWEEN or IN');
    return left;
  }

  #between(value: Node, at: number): Node {
    const low = this.#sum();
    if (!this.takeWord('AND')) throw this.unexpected('AND and the upper end of BETWEEN');
    return { kind: 'call', op: 'between', args: [value, low, this.#sum()], at };
  }

  #sum(): Node {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%', 'div'], () => this.#power()));
  }

  /** Left to right: a - b - c is (a - b) - c. */
  #chain(ops: readonly string[], inner: () => Node): Node {
    let left = inner();
    for (;;) {
      const op = this.token.text.toLowerCase();
      const { kind, at } = this.token;
      if ((kind !== 'symbol' && kind !== 'name') || !ops.includes(op) || !isOneOf(ARITHMETIC, op)) return left;
      this.take();
      left = { kind: 'call', op, args: [left, inner()], at };
    }
  }

  #power(): Node {
    const base = this.#signed();
    const { at } = this.token;
    if (!this.takeSymbol('^')) return base;
    const power: Node = { kind: 'call', op: '^', args: [base, this.#signed()], at };
    if (this.isSymbol('^')) throw fault(this.token.at, '^ after ^ needs parentheses', '^');
    return power;
  }

  #signed(): Node {
    const { at } = this.token;
    const minus = this.isSymbol('-');
    if (!minus && !this.isSymbol('+')) return this.#primary();
    this.take();
    if (this.token.kind === 'number') return { kind: 'literal', value: numberOf(this.take(), minus), at };
    if (!minus) throw this.unexpected('a number');
    const one: Node = { kind: 'literal', value: -1, at };
    return { kind: 'call', op: '*', args: [one, this.#primary()], at };
  }

  #primary(): Node {
    const { kind, text, at } = this.token;
    if (kind === 'number') return { kind: 'literal', value: numberOf(this.take(), false), at };
    if (kind === 'string') return { kind: 'literal', value: this.take().text, at };
    if (kind === 'quoted') return { kind: 'property', name: this.take().text, at };
    if (this.isSymbol('(')) return this.#group();
    if (kind !== 'name') throw this.unexpected('a property, a literal or "("');
    const word = text.toUpperCase();
    if (word === 'TRUE' || word === 'FALSE') {
      this.take();
      return { kind: 'literal', value: word === 'TRUE', at };
    }
    if (isGeometryWord(word) && /^(\(|Z)$/i.test(this.next().text)) {
      this.take();
      return { kind: 'geometry', value: readGeometry(this, word), at };
    }
    if (this.next().kind === 'symbol' && this.next().text === '(') return this.#called();
    if (RESERVED.has(word)) throw this.unexpected('a property (in double quotes where it is called as a keyword is)');
    this.take();
    return { kind: 'property', name: text, at };
  }

  /** One expression in parentheses, or an array of them. */
  #group(): Node {
    const { at } = this.token;
    const items = this.#listed();
    return items.length === 1 ? items[0] : { kind: 'array', items, at };
  }

  #list(): Node {
    const { at } = this.token;
    if (!this.isSymbol('(')) throw this.unexpected('"(" and a list');
    return { kind: 'array', items: this.#listed(), at };
  }

  #listed(): Node[] {
    this.expect('(', '');
    const items: Node[] = [];
    if (this.takeSymbol(')')) return items;
    do items.push(this.expression());
    while (this.takeSymbol(','));
    this.expect(')', 'or ","');
    return items;
  }

  /** name(…): an instant, an interval, a box, a standard function, or one that the standard does not name. */
  #called(): Node {
    const { text, at } = this.take();
    const word = text.toUpperCase();
    if (word === 'DATE' || word === 'TIMESTAMP') return this.#instant(word, at);
    if (word === 'INTERVAL') return this.#interval(at);
    if (word === 'BBOX') return { kind: 'bbox', value: readBox(this, at), at };
    const op = OP_NAMES.get(text.toLowerCase());
    if (op !== undefined && isOneOf(ARRAYS, op)) {
      const args = this.#arguments(() => (this.isSymbol('(') ? this.deeper(() => this.#list()) : this.expression()));
      checkCount(op, args.length, at);
      return { kind: 'call', op, args, at };
    }
    const args = this.#arguments(() => this.expression());
    if (op && (op === 'casei' || op === 'accenti' || isOneOf(SPATIAL, op) || isOneOf(TEMPORAL, op))) {
      checkCount(op, args.length, at);
      return { kind: 'call', op, args, at };
    }
    return { kind: 'function', name: text, args, at };
  }

  #arguments(inner: () => Node): Node[] {
    this.expect('(', '');
    const args: Node[] = [];
    if (this.takeSymbol(')')) return args;
    do args.push(inner());
    while (this.takeSymbol(','));
    this.expect(')', 'or ","');
    return args;
  }

  #instant(word: 'DATE' | 'TIMESTAMP', at: number): InstantNode {
    this.expect('(', `after ${word}`);
    if (this.token.kind !== 'string') throw this.unexpected(`the ${word.toLowerCase()} in single quotes`);
    const { text, at: inner } = this.take();
    this.expect(')', `after the ${word.toLowerCase()}`);
    const date = word === 'DATE';
    const canonical = date ? canonicalDate(text) : canonicalTimestamp(text);
    if (canonical === null)
      throw fault(inner, `"${text.slice(0, 80)}" is no RFC 3339 ${date ? 'full-date' : 'date-time'}`, text);
    return { kind: 'instant', date, text: canonical, at };
  }

  #interval(at: number): Node {
    this.expect('(', 'after INTERVAL');
    const start = this.#intervalEnd();
    this.expect(',', 'between the two ends of the interval');
    const end = this.#intervalEnd();
    this.expect(')', 'after the interval');
    return { kind: 'interval', ends: [start, end], at };
  }

  #intervalEnd(): IntervalEnd {
    const { kind, at } = this.token;
    if (kind !== 'string') {
      const node = this.#primary();
      if (node.kind === 'property' || node.kind === 'function' || node.kind === 'instant') return node;
      throw fault(at, "an interval ends at an instant in quotes, at a property or at '..'");
    }
    const { text } = this.take();
    return intervalEnd(text, at);
  }
}

/** An end of an interval as it is written in quotes: a date, a timestamp, or '..'. */
export function intervalEnd(text: string, at: InstantNode['at']): InstantNode | '..' {
  if (text === '..') return '..';
  const day = canonicalDate(text);
  const canonical = day ?? canonicalTimestamp(text);
  if (canonical === null)
    throw fault(at, `"${text.slice(0, 80)}" is neither an RFC 3339 date or date-time nor ".."`, text);
  return { kind: 'instant', date: day !== null, text: canonical, at };
}

const RESERVED: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'LIKE', 'BETWEEN', 'IN', 'IS', 'NULL', 'DIV']);

function negate(negated: boolean, node: Node): Node {
  return negated ? { kind: 'call', op: 'not', args: [node], at: node.at } : node;
}

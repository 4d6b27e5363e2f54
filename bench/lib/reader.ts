export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly close: boolean;
  /** Status line and headers as they came. */
  readonly head: string;
}

type Mode = 'head' | 'length' | 'size' | 'chunk' | 'trailer' | 'until-close';

const HEAD_END = Buffer.from('\r\n\r\n');

/** An HTTP/1.1 reader. Parses one response after another out of the chunks it is fed; bodies are counted, not kept. */
export function responseReader(onAnswer: (answer: Answer) => void): { feed(chunk: Buffer): void; end(): void } {
  return new ResponseReader(onAnswer);
}

class ResponseReader {
  readonly #onAnswer: (answer: Answer) => void;
  #mode: Mode = 'head';
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;
  #status = 0;
  #bytes = 0;
  #close = false;
  #text = '';

  constructor(onAnswer: (answer: Answer) => void) {
    this.#onAnswer = onAnswer;
  }

  feed(chunk: Buffer): void {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    this.#pending = Buffer.alloc(0);
    while (rest.length > 0) {
      const taken = this.#step(rest);
      if (taken < 0) {
        this.#pending = rest;
        return;
      }
      rest = rest.subarray(taken);
    }
  }

  end(): void {
    if (this.#mode === 'until-close') this.#finish();
  }

  /** Takes what the current mode needs from the chunk; returns how many bytes that was, or -1 to wait for more. */
  #step(chunk: Buffer): number {
    if (this.#mode === 'until-close') {
      this.#bytes += chunk.length;
      return chunk.length;
    }
    if (this.#mode === 'length' || this.#mode === 'chunk') return this.#body(chunk);
    const skip = this.#mode === 'head' ? 4 : 2;
    const end = this.#mode === 'head' ? chunk.indexOf(HEAD_END) : chunk.indexOf('\r\n');
    if (end < 0) return -1;
    const text = chunk.toString('latin1', 0, end);
    if (this.#mode === 'head') this.#head(text);
    else if (this.#mode === 'size') this.#sizeLine(text);
    else if (text === '') this.#finish();
    return end + skip;
  }

  #head(text: string): void {
    this.#status = Number(text.slice(9, 12));
    this.#text = text;
    this.#close = /\r\nconnection: *close/i.test(text);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    if (this.#status === 204 || this.#status === 304) this.#finish();
    else if (/\r\ntransfer-encoding: *chunked/i.test(text)) this.#mode = 'size';
    else if (length) {
      this.#left = Number(length[1]);
      this.#mode = 'length';
      if (this.#left === 0) this.#finish();
    } else this.#mode = 'until-close';
  }

  #body(chunk: Buffer): number {
    const taken = Math.min(this.#left, chunk.length);
    this.#left -= taken;
    if (this.#mode === 'length') this.#bytes += taken;
    if (this.#left === 0 && this.#mode === 'length') this.#finish();
    else if (this.#left === 0) this.#mode = 'size';
    return taken;
  }

  #sizeLine(line: string): void {
    this.#left = Number.parseInt(line, 16);
    this.#mode = this.#left === 0 ? 'trailer' : 'chunk';
    this.#bytes += this.#left;
    this.#left += 2; // the line break after the data
  }

  #finish(): void {
    const answer = { status: this.#status, bytes: this.#bytes, close: this.#close, head: this.#text };
    this.#mode = 'head';
    this.#bytes = 0;
    this.#onAnswer(answer);
  }
}

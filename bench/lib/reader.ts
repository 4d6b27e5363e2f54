export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly close: boolean;
}

type Mode = 'head' | 'length' | 'size' | 'chunk' | 'trailer' | 'until-close';

const HEAD_END = Buffer.from('\r\n\r\n');

/** An HTTP/1.1 reader. Parses one response after another out of the chunks it is fed; bodies are counted, not kept. */
export function responseReader(onAnswer: (answer: Answer) => void): { feed(chunk: Buffer): void; end(): void } {
  let mode: Mode = 'head';
  let pending: Buffer = Buffer.alloc(0);
  let left = 0;
  let status = 0;
  let bytes = 0;
  let close = false;

  function finish(): void {
    const answer = { status, bytes, close };
    mode = 'head';
    bytes = 0;
    onAnswer(answer);
  }

  function head(text: string): void {
    status = Number(text.slice(9, 12));
    close = /\r\nconnection: *close/i.test(text);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    if (status === 204 || status === 304) finish();
    else if (/\r\ntransfer-encoding: *chunked/i.test(text)) mode = 'size';
    else if (length) {
      left = Number(length[1]);
      mode = 'length';
      if (left === 0) finish();
    } else mode = 'until-close';
  }

  function sizeLine(line: string): void {
    left = Number.parseInt(line, 16);
    mode = left === 0 ? 'trailer' : 'chunk';
    bytes += left;
    left += 2; // the line break after the data
  }

  /** Takes what the current mode needs from the chunk; returns how many bytes that was, or -1 to wait for more. */
  function step(chunk: Buffer): number {
    if (mode === 'until-close') {
      bytes += chunk.length;
      return chunk.length;
    }
    if (mode === 'length' || mode === 'chunk') {
      const taken = Math.min(left, chunk.length);
      left -= taken;
      if (mode === 'length') bytes += taken;
      if (left === 0 && mode === 'length') finish();
      else if (left === 0) mode = 'size';
      return taken;
    }
    const skip = mode === 'head' ? 4 : 2;
    const end = mode === 'head' ? chunk.indexOf(HEAD_END) : chunk.indexOf('\r\n');
    if (end < 0) return -1;
    const text = chunk.toString('latin1', 0, end);
    if (mode === 'head') head(text);
    else if (mode === 'size') sizeLine(text);
    else if (text === '') finish();
    return end + skip;
  }

  return {
    feed(chunk) {
      let rest = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
      pending = Buffer.alloc(0);
      while (rest.length > 0) {
        const taken = step(rest);
        if (taken < 0) {
          pending = rest;
          return;
        }
        rest = rest.subarray(taken);
      }
    },
    end() {
      if (mode === 'until-close') finish();
    },
  };
}

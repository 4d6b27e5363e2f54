/** What an answer to a range request must be like before a byte of its body is taken. Everything here is of its head alone. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Problem, problem } from '../../errors.ts';
import type { RemoteRef } from '../../plan.ts';

export interface Expected {
  readonly offset: number;
  /** Bytes asked for. */
  readonly length: number;
  /** The file as it was met first; null at first sight, when the range may also end with the file. */
  readonly known: (Pick<RemoteRef, 'etag' | 'modified'> & { readonly size: number }) | null;
}

export interface RangeHead {
  /** Bytes of this body. */
  readonly length: number;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly etag: string | null;
  readonly modified: string | null;
}

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i;

/** Throws what is wrong with it. `name` is what errors call the file. */
export function judgeAnswer(name: string, status: number, headers: IncomingHttpHeaders, expected: Expected): RangeHead {
  if (status !== 206) throw refused(name, status, headers, expected);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw bad(name, `it is encoded (${cut(encoding)})`);
  const range = headers['content-range'];
  const match = CONTENT_RANGE.exec(range ?? '');
  if (!match) throw bad(name, `Content-Range is ${range === undefined ? 'not there' : JSON.stringify(cut(range))}`);
  const [first, last, size] = match.slice(1).map(Number);
  const wanted = Math.min(expected.offset + expected.length, expected.known?.size ?? size) - 1;
  if (first !== expected.offset || last !== wanted || last >= size)
    throw bad(name, `Content-Range is ${cut(range ?? '')} where bytes ${expected.offset}-${wanted} were asked for`);
  const length = last - first + 1;
  const told = headers['content-length'];
  if (told !== undefined && told !== String(length)) throw bad(name, `Content-Length is ${cut(told)}, not ${length}`);
  const head = { length, size, etag: headers.etag ?? null, modified: headers['last-modified'] ?? null };
  checkSame(name, head, expected);
  return head;
}

/** What was sent before must be what is sent now; the length always is. */
function checkSame(name: string, head: RangeHead, { known }: Expected): void {
  if (!known) {
    if (head.etag === null && head.modified === null)
      throw bad(
        name,
        'it has neither ETag nor Last-Modified, so a change while it is read could not be seen',
        'validator',
      );
    return;
  }
  const same = known.etag === null ? head.modified === known.modified : head.etag === known.etag;
  if (!same || head.size !== known.size) throw problem('source-changed', `${name} is another file than a moment ago`);
}

function refused(name: string, status: number, headers: IncomingHttpHeaders, { known }: Expected): Problem {
  const upstream = { upstream: status };
  if (status === 200) return bad(name, 'it answers 200 with all of the file to a request for a range', 'ranges');
  if (status === 412 && known) return problem('source-changed', `${name} is another file than a moment ago`);
  if (status === 416)
    return known
      ? problem('source-changed', `${name} is shorter than a moment ago`)
      : bad(name, 'it answers 416 to a request for the first bytes: the file is empty');
  if (status >= 300 && status < 400)
    return problem('remote-redirected', `${name} answers ${status}${target(headers.location)}`, upstream);
  if (status === 401 || status === 403 || status === 407)
    return problem('remote-denied', `${name} answers ${status}`, upstream);
  if (status === 404 || status === 410) return problem('remote-not-found', `${name} answers ${status}`, upstream);
  if (status === 429 || status >= 500) return problem('remote-failed', `${name} answers ${status}`, upstream);
  return problem('remote-bad-answer', `${name} answers ${status}`, upstream);
}

/** Without the query, which may be somebody's signature. */
function target(location: string | undefined): string {
  return location === undefined
    ? ''
    : ` and points to ${cut(location.replace(/[?#].*$/s, ''))}; ask for that URL itself`;
}

function bad(name: string, detail: string, reason = 'answer'): Problem {
  return problem('remote-bad-answer', `${name}: ${detail}`, { reason });
}

function cut(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

/**
 * The one error table. Domain code throws `problem(code, detail)`; only http/ turns it into RFC 9457 problem+json.
 * A code is stable and is what clients, tests and alerts match on; the detail names the offending value.
 */

interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** Seconds; sent as Retry-After after jitter. Only where asking again can help. */
  readonly retryAfter?: number;
}

const kinds = {
  'bad-parameter': { status: 400, title: 'A parameter is malformed' },
  'unknown-parameter': { status: 400, title: 'Unknown query parameter' },
  'bad-filter': { status: 400, title: 'The filter is not CQL2 or does not fit the layer' },
  'bad-body': { status: 400, title: 'The request body is malformed' },
  unauthorized: { status: 401, title: 'A secret or token is required' },
  forbidden: { status: 403, title: 'Not allowed' },
  'remote-forbidden': { status: 403, title: 'This URL may not be read' },
  'remote-denied': { status: 403, title: 'The other server does not let us read the file' },
  'not-found': { status: 404, title: 'No such resource' },
  'remote-not-found': { status: 404, title: 'The other server has no such file' },
  'layer-not-found': { status: 404, title: 'No such layer' },
  'feature-not-found': { status: 404, title: 'No such feature' },
  'tile-outside-grid': { status: 404, title: 'The tile is outside the tile grid or the zoom range' },
  'outside-bounds': { status: 404, title: 'The place asked for is outside the data' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'not-acceptable': { status: 406, title: 'No such representation' },
  'upload-stalled': { status: 408, title: 'The upload has stopped coming' },
  'session-gone': { status: 410, title: 'The session or its layer has ended' },
  'too-large': { status: 413, title: 'The request would need more memory than one request may use' },
  'read-amplification': { status: 413, title: 'Far more of the file would be read than is shown' },
  'body-too-large': { status: 413, title: 'The request body is larger than allowed' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  unprocessable: { status: 422, title: 'Well formed, but cannot be meant' },
  'layer-not-servable': { status: 422, title: 'This file cannot be served right' },
  'wrong-kind': { status: 422, title: 'The layer is of another kind' },
  'client-over-share': { status: 429, title: 'This client holds its share of the memory already', retryAfter: 1 },
  'client-closed': { status: 499, title: 'The client went away' },
  internal: { status: 500, title: 'Internal error' },
  'corrupt-data': { status: 500, title: 'The file contradicts itself' },
  'read-failed': { status: 502, title: 'The source could not be read' },
  'remote-redirected': { status: 502, title: 'The other server sends elsewhere, and redirects are not followed' },
  'remote-bad-answer': { status: 502, title: 'The other server does not serve byte ranges as they must be' },
  'remote-failed': { status: 502, title: 'The other server failed' },
  'source-changed': { status: 503, title: 'The source changed while it was read', retryAfter: 1 },
  overloaded: { status: 503, title: 'At the load line: no memory for this request now', retryAfter: 1 },
  'overview-building': { status: 503, title: 'The overview this needs is being made', retryAfter: 5 },
  draining: { status: 503, title: 'The server is shutting down', retryAfter: 5 },
  'worker-died': { status: 503, title: 'A render worker died', retryAfter: 1 },
  'remote-timeout': { status: 504, title: 'The other server took too long' },
  'quota-exceeded': { status: 507, title: 'The session quota is used up' },
} as const satisfies Record<string, ErrorKind>;

/** What can go wrong where a file is read from another server. */
export const REMOTE_CODES = [
  'remote-forbidden',
  'remote-denied',
  'remote-not-found',
  'remote-redirected',
  'remote-bad-answer',
  'remote-failed',
  'remote-timeout',
] as const satisfies readonly (keyof typeof kinds)[];

export type ErrorCode = keyof typeof kinds;

export const ERRORS: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** The only error class of the project: a code of the table, a sentence with the offending value, and extra members. */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: string, extra: Record<string, unknown> = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.extra = extra;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

export function problem(code: ErrorCode, detail: string, extra?: Record<string, unknown>): Problem {
  return new Problem(code, detail, extra);
}

/** A Problem crosses the worker boundary as plain data, since structured clone loses the class. */
export interface PlainProblem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly extra: Record<string, unknown>;
}

export function toPlainProblem(error: unknown): PlainProblem {
  if (error instanceof Problem) return { code: error.code, detail: error.message, extra: { ...error.extra } };
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'internal', detail, extra: {} };
}

export function fromPlainProblem(plain: PlainProblem): Problem {
  return new Problem(plain.code, plain.detail, plain.extra);
}

/** The faces of admission/ that serve.ts sees. */

/** hits and health take no permit at all. */
export type PermitClass = 'tile' | 'window' | 'bulk';

export interface PermitRequest {
  readonly bytes: number;
  readonly class: PermitClass;
  /** Whose share it counts against: session id, API key or remote address. */
  readonly client: string;
  readonly signal: AbortSignal;
}

/** The right to hold bytes. Released exactly once, when the worker has acknowledged the end of the work. */
export interface Permit {
  readonly bytes: number;
  /** Milliseconds spent in the queue. */
  readonly waitedMs: number;
  shrinkTo(bytes: number): void;
  /** Asks for more; false where it does not fit (then the work must end with `overloaded`). */
  grow(bytes: number): boolean;
  release(): void;
}

/** What makes two requests the same: operation, layer versions, canonical parameters, encoding. Known before any read. */
import { createHash } from 'node:crypto';
import type { Layer } from './layers/types.ts';
import type { Encoding } from './plan.ts';

export interface Identity {
  readonly key: string;
  readonly etag: string;
  /** The key of the same answer in another encoding. */
  encoded(encoding: Encoding): string;
}

interface Identifiable {
  readonly operation: { readonly name: string; readonly revision: number };
  readonly params: unknown;
  readonly encoding: Encoding;
}

/** The ETag is strong: another encoding is another one. Hashed lazily, since a hit has it stored beside the body. */
export function identify(ask: Identifiable, layers: readonly Layer[]): Identity {
  const { name, revision } = ask.operation;
  const versions = layers.map(layer => `${layer.id}@${layer.version}`).join(',');
  const question = `${name}.${revision}|${versions}|${JSON.stringify(ask.params)}`;
  const key = `${question}|${ask.encoding}`;
  let etag: string | undefined;
  return {
    key,
    encoded: encoding => `${question}|${encoding}`,
    get etag() {
      etag ??= `"${createHash('sha1').update(key).digest('base64url')}"`;
      return etag;
    },
  };
}

/** If-None-Match by weak comparison (RFC 9110 §13.1.2). */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag);
}

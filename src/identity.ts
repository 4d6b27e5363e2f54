/** What makes two requests the same: operation, layer versions, canonical parameters, encoding. Known before any read. */
import { hash } from 'node:crypto';
import type { Layer } from './layers/types.ts';
import type { Encoding } from './plan.ts';

export interface Identity {
  readonly key: string;
  readonly etag: string;
  /** Who answers when the full answer cannot be had: another ETag, another place in the cache. */
  readonly degraded: Identity;
  /** The key of the same answer in another encoding. */
  encoded(encoding: Encoding): string;
}

interface Identifiable {
  readonly operation: { readonly name: string; readonly revision: number };
  readonly params: unknown;
  readonly encoding: Encoding;
}

/** The ETag is strong: another encoding is another one. Hashed lazily, since a hit has it stored beside the body. */
export function identify(
  ask: Identifiable,
  layers: readonly Layer[],
  versions: readonly string[] = layers.map(layer => layer.version),
): Identity {
  const { name, revision } = ask.operation;
  const named = layers.map((layer, i) => layerKey(layer.id, versions[i])).join(',');
  return new Asked(`${name}.${revision}|${named}|${JSON.stringify(ask.params)}`, ask.encoding);
}

class Asked implements Identity {
  readonly key: string;
  readonly #question: string;
  readonly #encoding: Encoding;
  #etag: string | undefined;

  constructor(question: string, encoding: Encoding) {
    this.key = `${question}|${encoding}`;
    this.#question = question;
    this.#encoding = encoding;
  }

  get degraded(): Identity {
    return new Asked(`${this.#question}|degraded`, this.#encoding);
  }

  encoded(other: Encoding): string {
    return `${this.#question}|${other}`;
  }

  get etag(): string {
    this.#etag ??= `"${hash('sha1', this.key, 'base64url')}"`;
    return this.#etag;
  }
}

/** What the cache knows a layer's entries by, so that those of one version can be dropped. */
export function layerKey(id: string, version: string): string {
  return `${id}@${version}`;
}

export function layerKeys(layers: readonly Layer[]): string {
  return layers.map(layer => layerKey(layer.id, layer.version)).join(',');
}

/** If-None-Match by weak comparison (RFC 9110 §13.1.2). */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag);
}

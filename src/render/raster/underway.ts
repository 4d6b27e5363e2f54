/**
 * Blocks that jobs of this thread have asked another server for: neighbouring tiles want the same ones at the same time, and each
 * is fetched and decoded once. A job that waits for another's block never waits in a circle, and fetches it itself where the
 * other ends without it.
 */
import type { Bytes } from '../../io/bytes.ts';
import type { ByteRange } from '../../io/http/merge.ts';
import type { FetchedBlock } from '../../source/tiff/blocks.ts';

/** One job's reading ahead. */
export interface Asker {
  waitsFor: Asker | null;
}

/** Bytes that are read ahead, and whose they are. */
export interface AheadBytes extends Bytes {
  readonly asker: Asker;
}

interface Claim {
  readonly asker: Asker;
  readonly came: Promise<FetchedBlock | null>;
  settle(block: FetchedBlock | null): void;
}

export class Underway {
  readonly #claims = new Map<string, Claim>();

  /** Reads ahead what is neither `here` nor asked for by another job. `ask` is given all, in their order, and which are needed. */
  ahead(
    blocks: readonly { readonly key: string; readonly place: ByteRange }[],
    here: (key: string) => boolean,
    ask: (ranges: ByteRange[], needed: (range: ByteRange) => boolean) => Bytes,
  ): AheadBytes {
    const asker: Asker = { waitsFor: null };
    const mine = blocks.filter(({ key, place }) => place.length > 0 && !here(key) && this.claim(key, asker));
    const needed = new Set(mine.map(({ place }) => place));
    const bytes = ask(
      blocks.map(({ place }) => place),
      range => needed.has(range),
    );
    const close = () => {
      bytes.close();
      for (const { key } of mine) this.settle(key, asker, null);
    };
    return { asker, ref: bytes.ref, read: (offset, length) => bytes.read(offset, length), close };
  }

  /** False where another job fetches it already. */
  claim(key: string, asker: Asker): boolean {
    if (this.#claims.has(key)) return false;
    const { promise: came, resolve: settle } = Promise.withResolvers<FetchedBlock | null>();
    this.#claims.set(key, { asker, came, settle });
    return true;
  }

  /** What another job is fetching; null when it comes to nothing. Undefined: fetch it, nobody else does, or they wait for us. */
  from(key: string, asker: Asker): Promise<FetchedBlock | null> | undefined {
    const claim = this.#claims.get(key);
    if (!claim) return undefined;
    for (let other: Asker | null = claim.asker; other; other = other.waitsFor) if (other === asker) return undefined;
    asker.waitsFor = claim.asker;
    return claim.came.finally(() => {
      asker.waitsFor = null;
    });
  }

  /** It is there; or, null, it will not come from this job. */
  settle(key: string, asker: Asker, block: FetchedBlock | null): void {
    const claim = this.#claims.get(key);
    if (claim?.asker !== asker) return;
    this.#claims.delete(key);
    claim.settle(block);
  }
}

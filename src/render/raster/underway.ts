/**
 * Blocks that jobs of this thread have asked another server for: neighbouring tiles want the same ones at the same time, and each
 * is fetched and decoded once. A job that waits for another's block never waits in a circle, and fetches it itself where the
 * other ends without it.
 */
import type { Bytes } from '../../io/bytes.ts';
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

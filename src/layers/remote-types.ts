/** What the keeper of remote rasters is given, and what it is to others. */
import type { AllowRule } from '../io/http/allow.ts';
import type { RangeClient, RangeClientStats } from '../io/http/client.ts';
import type { Ledger, Sheddable } from '../memory/types.ts';
import type { Source } from '../source/types.ts';
import type { Zooms } from './open.ts';
import type { Catalogue, Layer, LayerOptions, Lease, RasterLayer } from './types.ts';

export interface RemoteSettings {
  readonly allow: readonly AllowRule[];
  readonly ttlMs: number;
  readonly filesMax: number;
  readonly indexBytes: number;
  readonly openBytes: number;
  readonly aheadBytes: number;
  /** What holds for rasters that nobody says anything of. */
  readonly defaults?: LayerOptions;
  /** Decoded bytes that a block may take; the format's own bound where absent. */
  readonly blockBytesMax?: number;
}

export interface Who {
  readonly client: string;
  readonly signal: AbortSignal;
}

export interface RemoteDeps {
  readonly settings: RemoteSettings;
  readonly client: RangeClient;
  readonly ledger: Ledger;
  readonly zoomsOf: (source: Source) => Zooms;
  /** The right to hold the bytes of an opening. Errors: overloaded, client-over-share. */
  readonly admit: (bytes: number, who: Who) => Promise<{ release(): void }>;
  /** A layer that is replaced by another file of its URL. */
  readonly onGone: (layer: Layer) => void;
  readonly now: () => number;
}

export interface RemoteStats extends RangeClientStats {
  readonly files: number;
  readonly indexBytes: number;
  readonly opened: number;
  readonly evicted: number;
}

export interface Remotes {
  /** Errors: those of judgeUrl, of the client, of the format (layer-not-servable); overloaded; too-large. */
  lease(url: string, who: Who): Promise<Lease<RasterLayer>>;
  /** Asks at the next lease whether it is still the same: reading it said that it is not. */
  doubt(id: string): void;
  /** The catalogue with the open files as layers beside it. They are in no list. */
  beside(catalogue: Catalogue): Catalogue;
  readonly sheddable: Sheddable;
  stats(): RemoteStats;
  close(): void;
}

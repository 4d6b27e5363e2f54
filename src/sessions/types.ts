/** The face of sessions/ that http, the reports and the composition root see. */
import type { SessionLayer } from '../layers/types.ts';
import type { Ledger, Sheddable } from '../memory/types.ts';
import type { Cost, Encoding, Painted } from '../plan.ts';
import type { SessionSettings } from './settings.ts';
import type { EndReason } from './tombstones.ts';

export interface SessionsDeps {
  readonly ledger: Ledger;
  readonly settings: SessionSettings;
  /** The catalogue lists session layers beside the others. */
  readonly catalogue: SessionShelf;
  /** Milliseconds; injected in tests. */
  readonly now?: () => number;
}

export interface SessionShelf {
  addSession(layer: SessionLayer): void;
  removeSession(layerId: string, why: string): void;
}

export interface CreatedSession {
  readonly id: string;
  readonly secret: string;
  readonly ttlMs: number;
  readonly expires: number;
}

export type UploadedLayer = SessionLayer & { readonly bytes: number };

export interface Upload {
  /** Receives the body; the session is spared from eviction and idling meanwhile. Given to the thread whole. */
  body(): Promise<Uint8Array>;
  /** Books the indexing. Called when its turn has come, so that nothing is held in a queue. */
  permit?(cost: Cost): Promise<{ release(): void }>;
  readonly signal?: AbortSignal;
}

export interface Put {
  readonly layer: UploadedLayer;
  /** False: there was no layer of this name. */
  readonly replaced: boolean;
}

export interface SessionState {
  readonly id: string;
  readonly created: number;
  readonly expires: number;
  readonly idleExpires: number;
  readonly bytes: number;
  readonly quotaBytes: number;
  readonly layers: readonly UploadedLayer[];
}

export interface SessionStats {
  readonly sessions: number;
  readonly layers: number;
  readonly bytes: number;
  readonly created: number;
  readonly evicted: number;
  readonly ended: Readonly<Record<EndReason, number>>;
  readonly threadRunning: boolean;
}

export interface Sessions {
  readonly settings: SessionSettings;
  /** `ttlMs`: no more than the setting, which it is where absent. */
  create(ttlMs?: number): CreatedSession;
  /** Throws not-found, session-gone. */
  get(id: string): SessionState;
  touch(id: string): SessionState;
  /** Throws unauthorized, forbidden, not-found, session-gone. */
  authorise(id: string, secret: string | null): void;
  /** Throws bad-parameter, quota-exceeded, session-gone, and what is wrong with the body. */
  put(id: string, name: string, upload: Upload): Promise<Put>;
  /** Throws layer-not-found, session-gone. */
  layer(id: string, name: string): UploadedLayer;
  removeLayer(id: string, name: string): void;
  remove(id: string): void;
  /** Throws session-gone where the layer or its session has ended. */
  tile(
    layerId: string,
    tile: { z: number; x: number; y: number },
    encoding: Encoding,
    signal?: AbortSignal,
  ): Promise<Painted>;
  tileCost(layerId: string): Cost;
  /** Its tiles are being looked at, be it out of the cache. */
  used(layerId: string): void;
  /** Why a layer that is not there any more has ended; null: it never was. */
  goneReason(layerId: string): string | null;
  /** Ends what has expired. Called by a timer; by hand in tests. */
  sweep(): void;
  stats(): SessionStats;
  readonly sheddable: Sheddable;
  close(): Promise<void>;
}

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
  removeSession(layerId: string): void;
}

export interface CreatedSession {
  readonly id: string;
  readonly secret: string;
  readonly ttlMs: number;
  readonly expires: number;
}

export type UploadedLayer = SessionLayer & { readonly bytes: number };

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
  create(): CreatedSession;
  /** Throws not-found, session-gone. */
  get(id: string): SessionState;
  touch(id: string): SessionState;
  /** Throws unauthorized, forbidden, not-found, session-gone. */
  authorise(id: string, secret: string | null): void;
  put(id: string, name: string, geojson: Uint8Array, signal?: AbortSignal): Promise<UploadedLayer>;
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
  /** Why a layer that is not there any more has ended; null: it never was. */
  goneReason(layerId: string): string | null;
  /** Ends what has expired. Called by a timer; by hand in tests. */
  sweep(): void;
  stats(): SessionStats;
  readonly sheddable: Sheddable;
  close(): Promise<void>;
}

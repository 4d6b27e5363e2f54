/** What the way of a request is built of. */
import type { Turns } from './admission/turns.ts';
import type { Admission, PermitClass } from './admission/types.ts';
import type { Flight } from './cache/flight.ts';
import type { ByteCache } from './cache/types.ts';
import type { Ladder } from './ladder.ts';
import type { Catalogue } from './layers/types.ts';
import type { Past } from './past.ts';
import type { Caching } from './reply.ts';
import type { Bodies } from './reply-bodies.ts';
import type { Pool } from './workers/pool.ts';

export interface Rooms {
  readonly catalogue: Catalogue;
  readonly cache: ByteCache;
  readonly flight: Flight;
  readonly admission: Admission;
  readonly turns: Turns;
  readonly pool: Pool;
  readonly bodies: Bodies;
  readonly observer: Observer;
  readonly ladder: Ladder;
  readonly past: Past;
  readonly caching: Caching;
}

/** Told of what passes, for the metrics; changes nothing. */
export interface Observer {
  planned(headers: Readonly<Record<string, string>>): void;
  waited(permitClass: PermitClass, ms: number): void;
  rendered(operation: string, ms: number): void;
}

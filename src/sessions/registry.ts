/**
 * Which sessions there are, least recently used first, each with its booking; and what became of those that are not any
 * more. Knows neither the thread that holds the indexes nor the catalogue.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { problem } from '../errors.ts';
import type { Booking, Ledger } from '../memory/types.ts';
import type { LayerRecord } from './layer.ts';
import type { SessionSettings } from './settings.ts';
import { createTombstones, END_SENTENCES, type EndReason, type Tombstones } from './tombstones.ts';
import type { CreatedSession, SessionState, UploadedLayer } from './types.ts';

export interface Session {
  readonly id: string;
  readonly secretHash: Buffer;
  readonly created: number;
  readonly expires: number;
  readonly layers: Map<string, LayerRecord>;
  readonly booking: Booking;
  used: number;
  /** Uploads that the thread is working on. */
  pending: number;
}

/** What a session costs with no layer in it. */
const SESSION_BYTES = 1024;

export class Registry {
  created = 0;
  readonly ended: Record<EndReason, number> = { deleted: 0, expired: 0, idle: 0, evicted: 0, crashed: 0, closed: 0 };
  /** A use moves a session to the end. */
  readonly #sessions = new Map<string, Session>();
  readonly #tombstones: Tombstones;
  readonly #ledger: Ledger;
  readonly #settings: SessionSettings;
  readonly #now: () => number;

  constructor(ledger: Ledger, settings: SessionSettings, now: () => number) {
    this.#ledger = ledger;
    this.#settings = settings;
    this.#now = now;
    this.#tombstones = createTombstones(settings.tombstonesMax);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A copy: sessions may end while it is walked. */
  oldestFirst(): Session[] {
    return [...this.#sessions.values()];
  }

  open(ttlMs: number): CreatedSession {
    const id = randomBytes(12).toString('hex');
    const secret = randomBytes(24).toString('base64url');
    const now = this.#now();
    const booking = this.#ledger.book('sessions', SESSION_BYTES, `session ${id}`);
    const secretHash = hash(secret);
    const expires = now + ttlMs;
    const life = { created: now, expires, used: now, pending: 0 };
    this.#sessions.set(id, { id, secretHash, layers: new Map(), booking, ...life });
    this.created++;
    return { id, secret, ttlMs, expires };
  }

  /** Throws not-found, session-gone. */
  find(id: string): Session {
    const session = this.#sessions.get(id);
    if (session) return session;
    const reason = this.#tombstones.get(id);
    if (reason) throw problem('session-gone', `session ${id.slice(0, 80)} ${END_SENTENCES[reason]}`, { reason });
    throw problem('not-found', `no session is called ${id.slice(0, 80)}`);
  }

  /** Throws layer-not-found, session-gone. */
  layer(layerId: string): { session: Session; record: LayerRecord } {
    const session = this.#sessions.get(sessionOf(layerId));
    const record = session?.layers.get(nameOf(layerId));
    if (!session || !record) throw this.missingLayer(layerId);
    return { session, record };
  }

  /** What the thread calls a layer, if it is still that upload. */
  byKey(key: string): { session: Session; record: LayerRecord } | null {
    const session = this.#sessions.get(sessionOf(key));
    const record = session?.layers.get(nameOf(key.slice(0, key.indexOf('#'))));
    return session && record?.key === key ? { session, record } : null;
  }

  missingLayer(layerId: string): Error {
    const gone = this.goneReason(layerId);
    if (gone) return problem('session-gone', `${layerId.slice(0, 120)} ${gone}`);
    return problem('layer-not-found', `no session layer is called ${layerId.slice(0, 120)}`);
  }

  goneReason(layerId: string): string | null {
    const reason = this.#tombstones.get(layerId) ?? this.#tombstones.get(sessionOf(layerId));
    return reason === undefined ? null : END_SENTENCES[reason];
  }

  /** Throws unauthorized, forbidden, not-found, session-gone. */
  authorise(id: string, secret: string | null): void {
    const session = this.find(id);
    if (secret === null) throw problem('unauthorized', `session ${id}: send its secret as "Authorization: Bearer …"`);
    if (!timingSafeEqual(hash(secret), session.secretHash))
      throw problem('forbidden', `session ${id}: that is not its secret`);
  }

  use(session: Session): Session {
    session.used = this.#now();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    return session;
  }

  holds(session: Session): boolean {
    return this.#sessions.get(session.id) === session;
  }

  book(session: Session): void {
    session.booking.resize(SESSION_BYTES + bytesOf(session) + drilledOf(session));
  }

  /** Bytes on the books for it. */
  bookedBy(id: string): number {
    return this.#sessions.get(id)?.booking.bytes ?? 0;
  }

  buryLayer(layerId: string, reason: EndReason): void {
    this.#tombstones.add(layerId, reason);
  }

  /** The session that was taken out, for its layers to be taken down; null: it had ended before. */
  end(id: string, reason: EndReason): Session | null {
    const session = this.#sessions.get(id);
    if (!session) return null;
    this.#sessions.delete(id);
    this.#tombstones.add(id, reason);
    session.booking.release();
    this.ended[reason]++;
    return session;
  }

  /** Of all layers, without what drill-downs have left. */
  get bytes(): number {
    let sum = 0;
    for (const session of this.#sessions.values()) sum += bytesOf(session);
    return sum;
  }

  stateOf(session: Session): SessionState {
    const { id, created, expires, used } = session;
    const { idleMs, quotaBytes } = this.#settings;
    return {
      id,
      created,
      expires,
      idleExpires: Math.min(expires, used + idleMs),
      bytes: bytesOf(session),
      quotaBytes,
      layers: [...session.layers.values()].map(uploadedLayer),
    };
  }
}

export function uploadedLayer({ layer, baseBytes }: LayerRecord): UploadedLayer {
  return { ...layer, bytes: baseBytes };
}

export function bytesOf(session: Session): number {
  let sum = 0;
  for (const { baseBytes } of session.layers.values()) sum += baseBytes;
  return sum;
}

function drilledOf(session: Session): number {
  let sum = 0;
  for (const { drilledBytes } of session.layers.values()) sum += drilledBytes;
  return sum;
}

function sessionOf(layerId: string): string {
  return layerId.split('.')[0];
}

function nameOf(layerId: string): string {
  return layerId.slice(layerId.indexOf('.') + 1);
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

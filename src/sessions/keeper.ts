/**
 * Sessions: what a dashboard uploaded, for as long as it lives. A session has a secret (who holds it may change it), a
 * quota, a last moment and an idle timeout; its layers are tiled like any other. All its bytes are on the ledger's account
 * `sessions` and are back at zero when it ends, for whatever reason: deleted, expired, idle, evicted, or its thread died.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { problem } from '../errors.ts';
import type { SessionLayer } from '../layers/types.ts';
import type { Booking, Ledger, Sheddable } from '../memory/types.ts';
import type { Cost, Encoding, Painted } from '../plan.ts';
import { type LayerRecord, sessionLayer } from './layer.ts';
import { createSessionThread, type SessionThread } from './thread.ts';
import { createTombstones, type EndReason, type Tombstones } from './tombstones.ts';

export interface SessionSettings {
  readonly ttlMs: number;
  readonly idleMs: number;
  /** Bytes one session may hold, and all of them together. */
  readonly quotaBytes: number;
  readonly totalBytes: number;
  readonly maxSessions: number;
  readonly maxLayers: number;
  readonly maxBodyBytes: number;
  readonly featureBytesMax: number;
  readonly maxZoom: number;
  readonly queueMax: number;
  /** Ended sessions that are still answered with 410 instead of 404. */
  readonly tombstonesMax: number;
  /** Under pressure a session in use within this time is spared until all must go. */
  readonly sparedMs: number;
}

export const SESSION_DEFAULTS: SessionSettings = {
  ttlMs: 12 * 3600_000,
  idleMs: 30 * 60_000,
  quotaBytes: 16 << 20,
  totalBytes: 64 << 20,
  maxSessions: 100,
  maxLayers: 10,
  maxBodyBytes: 16 << 20,
  featureBytesMax: 4 << 20,
  maxZoom: 16,
  queueMax: 256,
  tombstonesMax: 1000,
  sparedMs: 60_000,
};

export interface SessionsDeps {
  readonly ledger: Ledger;
  readonly settings: SessionSettings;
  /** The catalogue lists session layers beside the others. */
  readonly catalogue: { addSession(layer: SessionLayer): void; removeSession(layerId: string): void };
  /** Milliseconds; injected in tests. */
  readonly now?: () => number;
}

export interface CreatedSession {
  readonly id: string;
  readonly secret: string;
  readonly ttlMs: number;
  readonly expires: number;
}

export interface SessionState {
  readonly id: string;
  readonly created: number;
  readonly expires: number;
  readonly idleExpires: number;
  readonly bytes: number;
  readonly quotaBytes: number;
  readonly layers: readonly (SessionLayer & { readonly bytes: number })[];
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
  put(
    id: string,
    name: string,
    geojson: Uint8Array,
    signal?: AbortSignal,
  ): Promise<SessionLayer & { readonly bytes: number }>;
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

interface Session {
  readonly id: string;
  readonly secretHash: Buffer;
  readonly created: number;
  readonly layers: Map<string, LayerRecord>;
  used: number;
  /** Uploads that the thread is working on, by name. */
  pending: number;
}

/** An idle thread's own memory (memory.md, fact 11). */
const THREAD_BYTES = 12 << 20;
/** What a session costs with no layer in it. */
const SESSION_BYTES = 1024;
const SWEEP_MS_MAX = 15_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const EXTENT = 4096;
const BUFFER = 64;
const DRILLED_BYTES_MIN = 1 << 20;

export function createSessions(deps: SessionsDeps): Sessions {
  return new SessionKeeper(deps);
}

class SessionKeeper implements Sessions {
  readonly settings: SessionSettings;
  readonly sheddable: Sheddable = { name: 'sessions', rank: 90, shed: bytes => this.#shed(bytes) };
  #deps: SessionsDeps;
  #now: () => number;
  /** Least recently used first: a use moves a session to the end. */
  #sessions = new Map<string, Session>();
  #bookings = new Map<string, Booking>();
  #thread: SessionThread;
  /** More than one only while one thread ends and the next begins. */
  readonly #threadBookings: Booking[] = [];
  #tombstones: Tombstones;
  #timer: NodeJS.Timeout;
  #created = 0;
  #version = 0;
  #ended: Record<EndReason, number> = { deleted: 0, expired: 0, idle: 0, evicted: 0, crashed: 0, closed: 0 };

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.settings = deps.settings;
    this.#now = deps.now ?? Date.now;
    this.#tombstones = createTombstones(deps.settings.tombstonesMax);
    this.#thread = createSessionThread({
      heapMb: Math.ceil((deps.settings.totalBytes * 2 + deps.settings.featureBytesMax * 8) / (1 << 20)) + 32,
      queueMax: deps.settings.queueMax,
      onStart: () => this.#threadBookings.push(deps.ledger.book('workers', THREAD_BYTES, 'session thread')),
      onStop: () => this.#threadBookings.shift()?.release(),
      onDeath: () => {
        for (const id of [...this.#sessions.keys()]) this.#end(id, 'crashed');
      },
    });
    const every = Math.max(50, Math.min(SWEEP_MS_MAX, deps.settings.idleMs / 4, deps.settings.ttlMs / 4));
    this.#timer = setInterval(() => this.sweep(), every);
    this.#timer.unref();
  }

  create(): CreatedSession {
    this.sweep();
    const { maxSessions, ttlMs } = this.settings;
    if (this.#sessions.size >= maxSessions && this.#evictSpared(1) === 0) {
      throw problem('overloaded', `${maxSessions} sessions are open and in use; end one or wait`, { maxSessions });
    }
    const id = randomBytes(12).toString('hex');
    const secret = randomBytes(24).toString('base64url');
    const now = this.#now();
    this.#sessions.set(id, { id, secretHash: hash(secret), created: now, layers: new Map(), used: now, pending: 0 });
    this.#bookings.set(id, this.#deps.ledger.book('sessions', SESSION_BYTES, `session ${id}`));
    this.#created++;
    return { id, secret, ttlMs, expires: now + ttlMs };
  }

  get(id: string): SessionState {
    return this.#stateOf(this.#session(id));
  }

  touch(id: string): SessionState {
    return this.#stateOf(this.#use(this.#session(id)));
  }

  authorise(id: string, secret: string | null): void {
    const session = this.#session(id);
    if (secret === null) throw problem('unauthorized', `session ${id}: send its secret as "Authorization: Bearer …"`);
    if (!timingSafeEqual(hash(secret), session.secretHash))
      throw problem('forbidden', `session ${id}: that is not its secret`);
  }

  async put(
    id: string,
    name: string,
    geojson: Uint8Array,
    signal?: AbortSignal,
  ): Promise<SessionLayer & { readonly bytes: number }> {
    const session = this.#use(this.#session(id));
    const { maxLayers, featureBytesMax, maxZoom } = this.settings;
    if (!NAME.test(name))
      throw problem('bad-parameter', `layer name: "${name.slice(0, 80)}" is not 1 to 64 of A–Z a–z 0–9 _ -`);
    if (!session.layers.has(name) && session.layers.size + session.pending >= maxLayers) {
      throw problem('quota-exceeded', `session ${id} has ${maxLayers} layers, which is the most`, { maxLayers });
    }
    const bytesMax = this.#room(session, name, geojson.byteLength);
    const layerId = `${id}.${name}`;
    const drilledBytesMax = Math.max(DRILLED_BYTES_MIN, Math.floor(bytesMax / 8));
    const options = { maxZoom, extent: EXTENT, buffer: BUFFER, drilledBytesMax };
    session.pending++;
    try {
      const limits = { bytesMax, featureBytesMax };
      const { bytes, summary } = await this.#thread.ask(
        { op: 'put', layer: layerId, body: geojson, limits, options },
        signal,
      );
      if (this.#sessions.get(id) !== session) {
        void this.#thread.ask({ op: 'drop', layers: [layerId] }).then(() => this.#rest());
        throw problem('session-gone', `session ${id} ended while ${name} was uploaded`);
      }
      const record = { bytes, layer: sessionLayer({ session: id, name, summary, maxZoom, version: ++this.#version }) };
      const replaced = session.layers.has(name);
      session.layers.set(name, record);
      this.#book(session);
      if (replaced) this.#deps.catalogue.removeSession(layerId);
      this.#deps.catalogue.addSession(record.layer);
      return { ...record.layer, bytes };
    } finally {
      session.pending--;
      this.#rest();
    }
  }

  /** Bytes the layer may take: its session's quota and the total, after idle sessions of others have made room. */
  #room(session: Session, name: string, wanted: number): number {
    const own = bytesOf(session) - (session.layers.get(name)?.bytes ?? 0);
    const quota = this.settings.quotaBytes - own;
    const missing = wanted - (this.settings.totalBytes - this.#bytes());
    if (missing > 0) this.#evictSpared(missing, session.id);
    return Math.max(
      0,
      Math.min(quota, this.settings.totalBytes - this.#bytes() + (session.layers.get(name)?.bytes ?? 0)),
    );
  }

  removeLayer(id: string, name: string): void {
    const session = this.#use(this.#session(id));
    const record = session.layers.get(name);
    if (!record) throw this.#missingLayer(`${id}.${name}`);
    session.layers.delete(name);
    this.#dropLayers([record], 'deleted');
    this.#book(session);
  }

  remove(id: string): void {
    this.#session(id);
    this.#end(id, 'deleted');
  }

  async tile(
    layerId: string,
    { z, x, y }: { z: number; x: number; y: number },
    encoding: Encoding,
    signal?: AbortSignal,
  ): Promise<Painted> {
    const { session, record } = this.#record(layerId);
    this.#use(session);
    const { painted, bytes } = await this.#thread.ask({ op: 'tile', layer: layerId, z, x, y, encoding }, signal);
    if (
      this.#sessions.get(session.id) === session &&
      session.layers.get(nameOf(layerId)) === record &&
      bytes !== record.bytes
    ) {
      record.bytes = bytes;
      this.#book(session);
    }
    return painted;
  }

  /** Cutting a tile copies at most what the layer holds; vt-pbf and the body come on top. */
  tileCost(layerId: string): Cost {
    const { bytes } = this.#record(layerId).record;
    return { inputBytes: 0, decodedBytes: bytes, outputBytes: Math.ceil(bytes / 4) };
  }

  goneReason(layerId: string): string | null {
    const reason = this.#tombstones.get(layerId) ?? this.#tombstones.get(layerId.split('.')[0]);
    return reason === undefined ? null : SENTENCES[reason];
  }

  sweep(): void {
    const now = this.#now();
    for (const [id, { created, used, pending }] of [...this.#sessions]) {
      if (pending > 0) continue;
      if (now - created >= this.settings.ttlMs) this.#end(id, 'expired');
      else if (now - used >= this.settings.idleMs) this.#end(id, 'idle');
    }
  }

  stats(): SessionStats {
    let layers = 0;
    for (const session of this.#sessions.values()) layers += session.layers.size;
    const { size } = this.#sessions;
    return {
      sessions: size,
      layers,
      bytes: this.#bytes(),
      created: this.#created,
      evicted: this.#ended.evicted,
      ended: { ...this.#ended },
      threadRunning: this.#thread.running,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const id of [...this.#sessions.keys()]) this.#end(id, 'closed');
    await this.#thread.stop();
  }

  /** Oldest use first. Sessions in use are spared unless everything is asked for; uploads under way always are. */
  #shed(bytes: number): number {
    return this.#evictSpared(bytes, null, bytes === Number.POSITIVE_INFINITY ? 0 : this.settings.sparedMs);
  }

  #evictSpared(bytes: number, except: string | null = null, sparedMs = this.settings.sparedMs): number {
    const now = this.#now();
    let freed = 0;
    for (const session of [...this.#sessions.values()]) {
      if (freed >= bytes || now - session.used < sparedMs) break;
      if (session.id === except || session.pending > 0) continue;
      freed += this.#end(session.id, 'evicted');
    }
    return freed;
  }

  #end(id: string, reason: EndReason): number {
    const session = this.#sessions.get(id);
    if (!session) return 0;
    const bytes = bytesOf(session);
    this.#sessions.delete(id);
    this.#tombstones.add(id, reason);
    this.#bookings.get(id)?.release();
    this.#bookings.delete(id);
    this.#ended[reason]++;
    this.#dropLayers([...session.layers.values()], reason);
    return bytes;
  }

  #dropLayers(records: readonly LayerRecord[], reason: EndReason): void {
    for (const { layer } of records) {
      this.#tombstones.add(layer.id, reason);
      this.#deps.catalogue.removeSession(layer.id);
    }
    const ids = records.map(({ layer }) => layer.id);
    if (ids.length === 0 || !this.#thread.running) return;
    // A thread that dies meanwhile has dropped them too.
    this.#thread.ask({ op: 'drop', layers: ids }).then(
      () => this.#rest(),
      () => {},
    );
  }

  /** Nothing is held and nothing is on its way: the thread and its 12 MB end. */
  #rest(): void {
    for (const { layers, pending } of this.#sessions.values()) if (layers.size > 0 || pending > 0) return;
    void this.#thread.stop();
  }

  #session(id: string): Session {
    const session = this.#sessions.get(id);
    if (session) return session;
    const reason = this.#tombstones.get(id);
    if (reason) throw problem('session-gone', `session ${id.slice(0, 80)} ${SENTENCES[reason]}`, { reason });
    throw problem('not-found', `no session is called ${id.slice(0, 80)}`);
  }

  #record(layerId: string): { session: Session; record: LayerRecord } {
    const session = this.#sessions.get(layerId.split('.')[0]);
    const record = session?.layers.get(nameOf(layerId));
    if (!session || !record) throw this.#missingLayer(layerId);
    return { session, record };
  }

  #missingLayer(layerId: string): Error {
    const gone = this.goneReason(layerId);
    if (gone) return problem('session-gone', `${layerId.slice(0, 120)} ${gone}`);
    return problem('layer-not-found', `no session layer is called ${layerId.slice(0, 120)}`);
  }

  #use(session: Session): Session {
    session.used = this.#now();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    return session;
  }

  #book(session: Session): void {
    this.#bookings.get(session.id)?.resize(SESSION_BYTES + bytesOf(session));
  }

  #bytes(): number {
    let sum = 0;
    for (const session of this.#sessions.values()) sum += bytesOf(session);
    return sum;
  }

  #stateOf(session: Session): SessionState {
    const { id, created, used } = session;
    const { ttlMs, idleMs, quotaBytes } = this.settings;
    const layers = [...session.layers.values()].map(({ layer, bytes }) => ({ ...layer, bytes }));
    const expires = created + ttlMs;
    return {
      id,
      created,
      expires,
      idleExpires: Math.min(expires, used + idleMs),
      bytes: bytesOf(session),
      quotaBytes,
      layers,
    };
  }
}

const SENTENCES: Readonly<Record<EndReason, string>> = {
  deleted: 'was deleted',
  expired: 'reached the end of its life',
  idle: 'was not used for too long',
  evicted: 'was ended to free memory',
  crashed: 'was lost when its thread died',
  closed: 'ended with the server',
};

function bytesOf(session: Session): number {
  let sum = 0;
  for (const { bytes } of session.layers.values()) sum += bytes;
  return sum;
}

function nameOf(layerId: string): string {
  return layerId.slice(layerId.indexOf('.') + 1);
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Sessions: what a dashboard uploaded, for as long as it lives. A session has a secret (who holds it may change it), a
 * quota, a last moment and an idle timeout; its layers are tiled like any other. All its bytes are on the ledger's account
 * `sessions` and are back at zero when it ends, for whatever reason: deleted, expired, idle, evicted, or its thread died.
 */
import { problem } from '../errors.ts';
import type { Booking, Sheddable } from '../memory/types.ts';
import type { Cost, Encoding, Painted } from '../plan.ts';
import { type LayerRecord, sessionLayer } from './layer.ts';
import { bytesOf, Registry, type Session } from './registry.ts';
import type { SessionSettings } from './settings.ts';
import { createSessionThread, type SessionThread } from './thread.ts';
import type { IndexOptions } from './tile-index.ts';
import type { EndReason } from './tombstones.ts';
import type { CreatedSession, SessionState, SessionStats, Sessions, SessionsDeps, UploadedLayer } from './types.ts';

/** An idle thread's own memory (memory.md, fact 11). */
const THREAD_BYTES = 12 << 20;
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
  readonly #deps: SessionsDeps;
  readonly #now: () => number;
  readonly #registry: Registry;
  readonly #thread: SessionThread;
  readonly #timer: NodeJS.Timeout;
  #version = 0;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.settings = deps.settings;
    this.#now = deps.now ?? Date.now;
    this.#registry = new Registry(deps.ledger, deps.settings, this.#now);
    this.#thread = bookedThread(deps, () => this.#endAll('crashed'));
    const every = Math.max(50, Math.min(SWEEP_MS_MAX, deps.settings.idleMs / 4, deps.settings.ttlMs / 4));
    this.#timer = setInterval(() => this.sweep(), every);
    this.#timer.unref();
  }

  create(): CreatedSession {
    this.sweep();
    const { maxSessions } = this.settings;
    if (this.#registry.size >= maxSessions && this.#evict(1) === 0) {
      throw problem('overloaded', `${maxSessions} sessions are open and in use; end one or wait`, { maxSessions });
    }
    return this.#registry.open();
  }

  get(id: string): SessionState {
    return this.#registry.stateOf(this.#registry.find(id));
  }

  touch(id: string): SessionState {
    return this.#registry.stateOf(this.#registry.use(this.#registry.find(id)));
  }

  authorise(id: string, secret: string | null): void {
    this.#registry.authorise(id, secret);
  }

  async put(id: string, name: string, geojson: Uint8Array, signal?: AbortSignal): Promise<UploadedLayer> {
    const session = this.#registry.use(this.#registry.find(id));
    this.#refuseLayer(session, name);
    const bytesMax = this.#room(session, name, geojson.byteLength);
    const layer = `${id}.${name}`;
    session.pending++;
    try {
      const limits = { bytesMax, featureBytesMax: this.settings.featureBytesMax };
      const options = indexOptions(this.settings, bytesMax);
      const answer = await this.#thread.ask({ op: 'put', layer, body: geojson, limits, options }, signal);
      if (!this.#registry.holds(session)) {
        void this.#thread.ask({ op: 'drop', layers: [layer] }).then(() => this.#rest());
        throw problem('session-gone', `session ${id} ended while ${name} was uploaded`);
      }
      const { bytes, summary } = answer;
      const { maxZoom } = this.settings;
      const record = { bytes, layer: sessionLayer({ session: id, name, summary, maxZoom, version: ++this.#version }) };
      const replaced = session.layers.has(name);
      session.layers.set(name, record);
      this.#registry.book(session);
      if (replaced) this.#deps.catalogue.removeSession(layer);
      this.#deps.catalogue.addSession(record.layer);
      return { ...record.layer, bytes };
    } finally {
      session.pending--;
      this.#rest();
    }
  }

  #refuseLayer(session: Session, name: string): void {
    const { maxLayers } = this.settings;
    if (!NAME.test(name))
      throw problem('bad-parameter', `layer name: "${name.slice(0, 80)}" is not 1 to 64 of A–Z a–z 0–9 _ -`);
    if (!session.layers.has(name) && session.layers.size + session.pending >= maxLayers) {
      throw problem('quota-exceeded', `session ${session.id} has ${maxLayers} layers, which is the most`, {
        maxLayers,
      });
    }
  }

  /** Bytes the layer may take: its session's quota and the total, after idle sessions of others have made room. */
  #room(session: Session, name: string, wanted: number): number {
    const { quotaBytes, totalBytes } = this.settings;
    const replaced = session.layers.get(name)?.bytes ?? 0;
    const quota = quotaBytes - (bytesOf(session) - replaced);
    const missing = wanted - (totalBytes - this.#registry.bytes);
    if (missing > 0) this.#evict(missing, session);
    return Math.max(0, Math.min(quota, totalBytes - this.#registry.bytes + replaced));
  }

  removeLayer(id: string, name: string): void {
    const session = this.#registry.use(this.#registry.find(id));
    const record = session.layers.get(name);
    if (!record) throw this.#registry.missingLayer(`${id}.${name}`);
    session.layers.delete(name);
    this.#dropLayers([record], 'deleted');
    this.#registry.book(session);
  }

  remove(id: string): void {
    this.#registry.find(id);
    this.#end(id, 'deleted');
  }

  async tile(
    layerId: string,
    { z, x, y }: { z: number; x: number; y: number },
    encoding: Encoding,
    signal?: AbortSignal,
  ): Promise<Painted> {
    const { session, record } = this.#registry.layer(layerId);
    this.#registry.use(session);
    const { painted, bytes } = await this.#thread.ask({ op: 'tile', layer: layerId, z, x, y, encoding }, signal);
    const current = this.#registry.holds(session) && session.layers.get(record.layer.title) === record;
    if (current && bytes !== record.bytes) {
      record.bytes = bytes;
      this.#registry.book(session);
    }
    return painted;
  }

  /** Cutting a tile copies at most what the layer holds; vt-pbf and the body come on top. */
  tileCost(layerId: string): Cost {
    const { bytes } = this.#registry.layer(layerId).record;
    return { inputBytes: 0, decodedBytes: bytes, outputBytes: Math.ceil(bytes / 4) };
  }

  goneReason(layerId: string): string | null {
    return this.#registry.goneReason(layerId);
  }

  sweep(): void {
    const now = this.#now();
    for (const { id, created, used, pending } of this.#registry.oldestFirst()) {
      if (pending > 0) continue;
      if (now - created >= this.settings.ttlMs) this.#end(id, 'expired');
      else if (now - used >= this.settings.idleMs) this.#end(id, 'idle');
    }
  }

  stats(): SessionStats {
    const { created, ended, size: sessions, bytes } = this.#registry;
    const layers = this.#registry.oldestFirst().reduce((sum, session) => sum + session.layers.size, 0);
    const threadRunning = this.#thread.running;
    return { sessions, layers, bytes, created, evicted: ended.evicted, ended: { ...ended }, threadRunning };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#endAll('closed');
    await this.#thread.stop();
  }

  /** Oldest use first. Sessions in use are spared unless everything is asked for; uploads under way always are. */
  #shed(bytes: number): number {
    return this.#evict(bytes, null, bytes === Number.POSITIVE_INFINITY ? 0 : this.settings.sparedMs);
  }

  #evict(bytes: number, except: Session | null = null, sparedMs = this.settings.sparedMs): number {
    const now = this.#now();
    let freed = 0;
    for (const session of this.#registry.oldestFirst()) {
      if (freed >= bytes || now - session.used < sparedMs) break;
      if (session === except || session.pending > 0) continue;
      freed += this.#end(session.id, 'evicted');
    }
    return freed;
  }

  #endAll(reason: EndReason): void {
    for (const { id } of this.#registry.oldestFirst()) this.#end(id, reason);
  }

  #end(id: string, reason: EndReason): number {
    const session = this.#registry.end(id, reason);
    if (!session) return 0;
    this.#dropLayers([...session.layers.values()], reason);
    return bytesOf(session);
  }

  #dropLayers(records: readonly LayerRecord[], reason: EndReason): void {
    for (const { layer } of records) {
      this.#registry.buryLayer(layer.id, reason);
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
    for (const { layers, pending } of this.#registry.oldestFirst()) if (layers.size > 0 || pending > 0) return;
    void this.#thread.stop();
  }
}

function indexOptions({ maxZoom }: SessionSettings, bytesMax: number): IndexOptions {
  const drilledBytesMax = Math.max(DRILLED_BYTES_MIN, Math.floor(bytesMax / 8));
  return { maxZoom, extent: EXTENT, buffer: BUFFER, drilledBytesMax };
}

/** The thread with its own memory on the books; more than one booking only while one thread ends and the next begins. */
function bookedThread({ ledger, settings }: SessionsDeps, onDeath: () => void): SessionThread {
  const bookings: Booking[] = [];
  return createSessionThread({
    heapMb: Math.ceil((settings.totalBytes * 2 + settings.featureBytesMax * 8) / (1 << 20)) + 32,
    queueMax: settings.queueMax,
    onStart: () => bookings.push(ledger.book('workers', THREAD_BYTES, 'session thread')),
    onStop: () => bookings.shift()?.release(),
    onDeath,
  });
}

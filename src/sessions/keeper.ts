/**
 * Sessions: what a dashboard uploaded, for as long as it lives. A session has a secret (who holds it may change it), a
 * quota, a last moment and an idle timeout; its layers are tiled like any other. All its bytes are on the ledger's account
 * `sessions` and are back at zero when it ends, for whatever reason: deleted, expired, idle, evicted, or its thread died.
 */
import { problem } from '../errors.ts';
import type { Sheddable } from '../memory/types.ts';
import type { Cost, Encoding, Painted } from '../plan.ts';
import { bookedThread } from './booked-thread.ts';
import { cutCost, indexCost, SPLIT_FACTOR } from './cost.ts';
import { type LayerRecord, sessionLayer } from './layer.ts';
import { bytesOf, Registry, type Session, uploadedLayer } from './registry.ts';
import type { SessionSettings } from './settings.ts';
import type { PutAnswer, SessionThread } from './thread.ts';
import { END_SENTENCES, type EndReason } from './tombstones.ts';
import type {
  CreatedSession,
  Put,
  SessionState,
  SessionStats,
  Sessions,
  SessionsDeps,
  Upload,
  UploadedLayer,
} from './types.ts';

const SWEEP_MS_MAX = 15_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const EXTENT = 4096;
const BUFFER = 64;

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
  /** Counts uploads. */
  #version = 0;
  #turn: Promise<unknown> = Promise.resolve();

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

  create(ttlMs = this.settings.ttlMs): CreatedSession {
    this.sweep();
    const { maxSessions } = this.settings;
    if (this.#registry.size >= maxSessions && this.#evict(1) === 0) {
      throw problem('overloaded', `${maxSessions} sessions are open and in use; end one or wait`, { maxSessions });
    }
    return this.#registry.open(Math.min(ttlMs, this.settings.ttlMs));
  }

  get(id: string): SessionState {
    this.sweep();
    return this.#registry.stateOf(this.#registry.find(id));
  }

  touch(id: string): SessionState {
    return this.#registry.stateOf(this.#registry.use(this.#registry.find(id)));
  }

  authorise(id: string, secret: string | null): void {
    this.#registry.authorise(id, secret);
  }

  async put(id: string, name: string, upload: Upload): Promise<Put> {
    const session = this.#registry.use(this.#registry.find(id));
    this.#refuseLayer(session, name);
    session.pending++;
    try {
      const body = await upload.body();
      return await this.#inTurn(() => this.#index(session, name, body, upload));
    } finally {
      session.pending--;
      if (this.#registry.holds(session)) this.#registry.use(session);
      this.#rest();
    }
  }

  /** One after the other: each is measured against what those before it have left. The thread indexes one at a time anyway. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #index(session: Session, name: string, body: Uint8Array, { signal, permit }: Upload): Promise<Put> {
    signal?.throwIfAborted();
    this.#refuseEnded(session, name);
    this.#refuseLayer(session, name);
    const layer = `${session.id}.${name}`;
    const key = `${layer}#${++this.#version}`;
    const { largestBytes } = await this.#thread.ask({ op: 'scan', key, body }, signal);
    try {
      const bytesMax = this.#room(session, name, body.byteLength);
      const granted = await permit?.(indexCost(body.byteLength, largestBytes, bytesMax));
      try {
        const { featureBytesMax, fieldsMax, totalBytes, maxZoom } = this.settings;
        const limits = { bytesMax, featureBytesMax, fieldsMax, splitBytesMax: totalBytes * SPLIT_FACTOR };
        const options = { maxZoom, extent: EXTENT, buffer: BUFFER };
        const answer = await this.#thread.ask({ op: 'put', key, name: layer, limits, options }, signal);
        this.#refuseEnded(session, name);
        return this.#shelve(session, name, key, answer);
      } finally {
        granted?.release();
      }
    } catch (error) {
      this.#drop([key]);
      throw error;
    }
  }

  /** The swap: one step for whoever looks, since nothing is awaited in it. */
  #shelve(session: Session, name: string, key: string, { baseBytes, splitBytes, summary }: PutAnswer): Put {
    const { maxZoom } = this.settings;
    const layer = sessionLayer({ session: session.id, name, summary, maxZoom, version: this.#version });
    const record = { layer, key, baseBytes, splitBytes, drilledBytes: 0 };
    const before = session.layers.get(name);
    session.layers.set(name, record);
    this.#registry.book(session);
    if (before) {
      this.#deps.catalogue.removeSession(layer.id, 'was replaced');
      this.#drop([before.key]);
    }
    this.#deps.catalogue.addSession(layer);
    return { layer: uploadedLayer(record), replaced: before !== undefined };
  }

  #refuseEnded(session: Session, name: string): void {
    if (!this.#registry.holds(session))
      throw problem('session-gone', `session ${session.id} ended while ${name} was uploaded`);
  }

  #refuseLayer(session: Session, name: string): void {
    const { maxLayers } = this.settings;
    if (!NAME.test(name))
      throw problem('bad-parameter', `layer name: "${name.slice(0, 80)}" is not 1 to 64 of A–Z a–z 0–9 _ -`);
    if (!session.layers.has(name) && session.layers.size >= maxLayers) {
      throw problem('quota-exceeded', `session ${session.id} has ${maxLayers} layers, which is the most`, {
        maxLayers,
      });
    }
  }

  /** Bytes the layer may take: its session's quota and the total, after idle sessions of others have made room. */
  #room(session: Session, name: string, wanted: number): number {
    const { quotaBytes, totalBytes, drilledShare } = this.settings;
    const all = totalBytes * (1 - drilledShare);
    const replaced = session.layers.get(name)?.baseBytes ?? 0;
    const quota = quotaBytes - (bytesOf(session) - replaced);
    const missing = wanted - (all - this.#registry.bytes);
    if (missing > 0) this.#evict(missing, session);
    return Math.max(0, Math.floor(Math.min(quota, all - this.#registry.bytes + replaced)));
  }

  layer(id: string, name: string): UploadedLayer {
    this.#registry.find(id);
    return uploadedLayer(this.#registry.layer(`${id}.${name}`).record);
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
    const { key } = record;
    const drilledBytesMax = Math.floor(this.settings.totalBytes * this.settings.drilledShare);
    const { painted, drilled } = await this.#thread.ask(
      { op: 'tile', key, z, x, y, encoding, drilledBytesMax },
      signal,
    );
    for (const [changed, bytes] of drilled) this.#noteDrilled(changed, bytes);
    return painted;
  }

  #noteDrilled(key: string, bytes: number): void {
    const found = this.#registry.byKey(key);
    if (!found || found.record.drilledBytes === bytes) return;
    found.record.drilledBytes = bytes;
    this.#registry.book(found.session);
  }

  tileCost(layerId: string): Cost {
    return cutCost(this.#registry.layer(layerId).record);
  }

  used(layerId: string): void {
    this.#registry.use(this.#registry.layer(layerId).session);
  }

  goneReason(layerId: string): string | null {
    return this.#registry.goneReason(layerId);
  }

  sweep(): void {
    const now = this.#now();
    for (const { id, expires, used, pending } of this.#registry.oldestFirst()) {
      if (pending > 0) continue;
      if (now >= expires) this.#end(id, 'expired');
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
    const held = this.#registry.bookedBy(id);
    const session = this.#registry.end(id, reason);
    if (!session) return 0;
    this.#dropLayers([...session.layers.values()], reason);
    return held;
  }

  #dropLayers(records: readonly LayerRecord[], reason: EndReason): void {
    for (const { layer } of records) {
      this.#registry.buryLayer(layer.id, reason);
      this.#deps.catalogue.removeSession(layer.id, END_SENTENCES[reason]);
    }
    this.#drop(records.map(({ key }) => key));
  }

  /** A thread that dies meanwhile has dropped them too. */
  #drop(keys: readonly string[]): void {
    if (keys.length === 0 || !this.#thread.running) return;
    this.#thread.ask({ op: 'drop', keys }).then(
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

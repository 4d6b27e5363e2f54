/**
 * The catalogue: id → layer. Every look at the folders ends in a list of targets (what should be served, and how the files
 * look now); reconciling opens what is new or different, swaps it in at once, and retires what it replaced. A request
 * that holds a lease finishes on the source it began with.
 */
import { problem } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { DiscoveryOptions, ScanFault } from './discover.ts';
import { lookAround } from './look.ts';
import { createMembers, type Members } from './members.ts';
import { openTarget } from './mosaic-open.ts';
import { type OpenDeps, type Target, targetLook } from './open.ts';
import { type Change, type Log, reportChange } from './report.ts';
import type { Slot } from './slot.ts';
import type { Catalogue, Layer, LayerOptions, Lease, MosaicChoice, SessionLayer } from './types.ts';
import { type Looked, startWatching, type Watching } from './watch.ts';

export type { Change, Log } from './report.ts';

export interface LayerChoice extends LayerOptions {
  /** Absent: options for the discovered layer of this id. */
  readonly path?: string;
  /** Several files as one layer. */
  readonly mosaic?: MosaicChoice;
}

export interface CatalogueConfig {
  readonly paths: readonly string[];
  readonly layers: Readonly<Record<string, LayerChoice>>;
  /** What holds for every layer that does not say otherwise. */
  readonly defaults?: LayerOptions;
  readonly discovery: DiscoveryOptions & {
    readonly watch: boolean;
    readonly intervalMs: number;
    /** Files opened at once. */
    readonly concurrency: number;
  };
}

export interface CatalogueOptions extends CatalogueConfig, OpenDeps {
  readonly log: Log;
  /** Called after the swap, once for a look that changed something. */
  readonly onChange?: (changes: readonly Change[]) => void;
}

export interface CatalogueStats {
  readonly layers: number;
  readonly servable: number;
  readonly refused: number;
  readonly sessions: number;
  readonly leases: number;
  readonly faults: readonly ScanFault[];
}

export interface CatalogueRoom extends Catalogue {
  /** Looks at once and opens what changed, without waiting for files to settle. */
  refresh(): Promise<readonly Change[]>;
  /** SIGHUP: other paths, layers or discovery; what stays the same stays open. */
  reload(config: CatalogueConfig): Promise<readonly Change[]>;
  addSession(layer: SessionLayer): void;
  /** From now on asking for it answers 410 and says why, for as long as it is remembered. */
  removeSession(id: string, why?: string): void;
  stats(): CatalogueStats;
  close(): Promise<void>;
}

/** Names of layers and sessions that ended, so that asking for one says so; the oldest are forgotten. */
const REMEMBERED_MAX = 10_000;

type Gone = { readonly kind: 'layer' } | { readonly kind: 'session'; readonly why: string };

interface Settling {
  /** path → look at the last scan; a file is opened when two scans agree. */
  before: ReadonlyMap<string, string>;
  force: boolean;
}

export async function createCatalogue(options: CatalogueOptions): Promise<CatalogueRoom> {
  const room = new Room(options);
  await room.start();
  return room;
}

class Room implements CatalogueRoom {
  readonly #deps: CatalogueOptions;
  #config: CatalogueConfig;
  readonly #members: Members;
  #slots = new Map<string, Slot>();
  #ids: ReadonlyMap<string, string> = new Map();
  #seen: ReadonlyMap<string, string> = new Map();
  #faults: readonly ScanFault[] = [];
  readonly #sessions = new Map<string, SessionLayer>();
  /** id → why it is not there any more. */
  readonly #gone = new Map<string, Gone>();
  readonly #said = new Set<string>();
  #watching: Watching | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: CatalogueOptions) {
    this.#deps = options;
    this.#config = options;
    this.#members = createMembers(options);
  }

  async start(): Promise<void> {
    const first = await this.#look(true);
    this.#watch(first);
  }

  list(): readonly Layer[] {
    return [...this.#slots.values()].map(({ layer }) => layer);
  }

  get(id: string): Layer | undefined {
    return this.#slots.get(id)?.layer ?? this.#sessions.get(id);
  }

  lease(id: string): Lease {
    const slot = this.#slots.get(id);
    if (slot) return slot.lease();
    const session = this.#sessions.get(id);
    // The sessions room counts its own users: it must be able to end one under pressure.
    if (session) return { layer: session, release: () => {} };
    throw this.#missing(id);
  }

  #missing(id: string): Error {
    const gone = this.#gone.get(id);
    if (gone?.kind === 'session') return problem('session-gone', `the session layer ${JSON.stringify(id)} ${gone.why}`);
    const why = gone ? ': its file was removed while the server ran' : '';
    const shown = id.length > 100 ? `${id.slice(0, 100)}…` : id;
    return problem(
      'layer-not-found',
      `no layer is called ${JSON.stringify(shown)}${why}${didYouMean(id, this.#slots.keys())}`,
    );
  }

  async refresh(): Promise<readonly Change[]> {
    return (await this.#look(true)).changes;
  }

  async reload(config: CatalogueConfig): Promise<readonly Change[]> {
    await this.#watching?.stop();
    this.#config = config;
    const looked = await this.#look(true);
    this.#watch(looked);
    return looked.changes;
  }

  addSession(layer: SessionLayer): void {
    if (this.#slots.has(layer.id)) throw problem('bad-parameter', `${layer.id} is the id of a layer already`);
    this.#gone.delete(layer.id);
    this.#sessions.set(layer.id, layer);
  }

  removeSession(id: string, why = 'has ended'): void {
    if (this.#sessions.delete(id)) this.#remember(id, { kind: 'session', why });
  }

  stats(): CatalogueStats {
    const slots = [...this.#slots.values()];
    const servable = slots.filter(({ layer }) => layer.verdict.servable).length;
    return {
      layers: slots.length,
      servable,
      refused: slots.length - servable,
      sessions: this.#sessions.size,
      leases: slots.reduce((sum, slot) => sum + slot.leases, 0),
      faults: this.#faults,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watching?.stop();
    await this.#turn.catch(() => {});
    for (const slot of this.#slots.values()) slot.retire();
    this.#slots = new Map();
    this.#sessions.clear();
  }

  #watch(looked: Looked): void {
    const { watch, intervalMs } = this.#config.discovery;
    if (!watch || this.#closed) return;
    const times = { intervalMs, settleMs: Math.min(intervalMs, 300) };
    this.#watching = startWatching(() => this.#look(false), looked, times);
  }

  /** One look at a time, in the order of asking. */
  #look(force: boolean): Promise<Looked & { changes: readonly Change[] }> {
    const turn = this.#turn.then(() => this.#lookNow(force));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #lookNow(force: boolean): Promise<Looked & { changes: readonly Change[] }> {
    if (this.#closed) return { folders: [], unsettled: false, changes: [] };
    const around = await lookAround(this.#config, this.#ids, this.#deps.far);
    const { targets, ids, notes, folders } = around;
    const settling: Settling = { before: this.#seen, force };
    this.#ids = ids;
    this.#seen = new Map(targets.map(({ path, look }) => [path, look]));
    this.#faults = around.faults;
    for (const note of notes) this.#say(note.facts, note.message);
    const { changes, unsettled } = await this.#reconcile(targets, settling);
    if (changes.length > 0) this.#tell(changes);
    return { folders, unsettled, changes };
  }

  async #reconcile(targets: readonly Target[], settling: Settling): Promise<{ changes: Change[]; unsettled: boolean }> {
    const stale = targets.filter(target => this.#slots.get(target.id)?.look !== targetLook(target));
    const ready = stale.filter(({ path, look }) => settling.force || settling.before.get(path) === look);
    const opened = new Map<string, Slot>();
    const queue = ready.values();
    const opener = async () => {
      for (const target of queue) opened.set(target.id, await openTarget(target, this.#deps, this.#members));
    };
    await Promise.all(Array.from({ length: this.#config.discovery.concurrency }, opener));

    const changes: Change[] = [];
    const next = new Map<string, Slot>();
    for (const { id } of targets) {
      const old = this.#slots.get(id);
      const fresh = opened.get(id);
      if (!fresh || (old && stillRefused(old, fresh))) {
        fresh?.retire();
        if (old) next.set(id, old);
        continue;
      }
      next.set(id, fresh);
      changes.push({ kind: old ? 'replaced' : 'added', id, layer: fresh.layer });
    }
    for (const [id, old] of this.#slots) if (!next.has(id)) changes.push({ kind: 'removed', id, layer: old.layer });
    this.#swap(next);
    for (const change of changes) reportChange(this.#deps.log, change);
    return { changes, unsettled: ready.length < stale.length };
  }

  /** The one moment at which the catalogue changes; old sources close when their last lease ends. */
  #swap(next: Map<string, Slot>): void {
    const before = this.#slots;
    this.#slots = new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const [id, old] of before) {
      if (next.get(id) === old) continue;
      old.retire();
      if (!next.has(id)) this.#remember(id, { kind: 'layer' });
    }
    for (const id of next.keys()) this.#gone.delete(id);
  }

  /** The swap has happened; a listener that fails must not stop the watching. */
  #tell(changes: readonly Change[]): void {
    try {
      this.#deps.onChange?.(changes);
    } catch (error) {
      this.#deps.log.warn({ error: String(error) }, 'a listener of layer changes failed');
    }
  }

  /** What holds on is said once, not at every look. */
  #say(facts: object, message: string): void {
    const key = JSON.stringify(facts) + message;
    if (this.#said.has(key) || this.#said.size >= REMEMBERED_MAX) return;
    this.#said.add(key);
    this.#deps.log.warn(facts, message);
  }

  #remember(id: string, what: Gone): void {
    this.#gone.delete(id);
    this.#gone.set(id, what);
    if (this.#gone.size > REMEMBERED_MAX) this.#gone.delete(this.#gone.keys().next().value as string);
  }
}

/** A file that is tried at every look and refused for the same reason has not changed. */
function stillRefused(old: Slot, fresh: Slot): boolean {
  if (old.look !== null || fresh.look !== null) return false;
  return (
    JSON.stringify(old.layer.verdict) === JSON.stringify(fresh.layer.verdict) &&
    old.layer.version === fresh.layer.version
  );
}

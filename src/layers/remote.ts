/**
 * Rasters of other servers, opened when they are first asked for and kept while they are used: so many of them, so many bytes, the
 * one used longest ago goes first. After a while the other server is asked whether the file is still the same; another file is
 * another layer, and what was cached of the old one goes. A failure is remembered for a moment, so that it is not asked for again
 * by every tile of a map.
 */
import { createHash } from 'node:crypto';
import { problem } from '../errors.ts';
import { judgeUrl, shown } from '../io/http/allow.ts';
import { askAgain, meetRemote } from '../io/http/remote.ts';
import type { Booking, Sheddable } from '../memory/types.ts';
import { openCog } from '../source/tiff/open.ts';
import type { RasterSource } from '../source/types.ts';
import { layerBase, type Target } from './open.ts';
import type { RemoteDeps, RemoteStats, Remotes, Who } from './remote-types.ts';
import { createSlot, type Slot } from './slot.ts';
import type { Catalogue, Lease, RasterLayer } from './types.ts';

/** A failure is told again, not tried again, for so long. */
const FAILED_MS = 2_000;
/** What is kept of a file beside its source. */
const ENTRY_BYTES = 2_048;

type OpenSlot = Slot & { readonly layer: RasterLayer };

interface Entry {
  readonly id: string;
  readonly url: URL;
  slot: OpenSlot | null;
  failure: unknown;
  /** When it was found to be the same, or failed. */
  atMs: number;
  bytes: number;
  pending: Promise<void> | null;
  readonly booking: Booking;
}

export function createRemotes(deps: RemoteDeps): Remotes {
  return new Keeper(deps);
}

class Keeper implements Remotes {
  readonly #deps: RemoteDeps;
  /** In order of use: the first was used longest ago. */
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  #bytes = 0;
  #opened = 0;
  #evicted = 0;
  readonly sheddable: Sheddable = { name: 'remote', rank: 60, shed: bytes => this.#shed(bytes) };

  constructor(deps: RemoteDeps) {
    this.#deps = deps;
  }

  async lease(text: string, who: Who): Promise<Lease<RasterLayer>> {
    const { settings, now } = this.#deps;
    const url = judgeUrl(text, settings.allow);
    const id = idOf(url);
    const entry = this.#entries.get(id) ?? this.#add(id, url);
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    const age = now() - entry.atMs;
    if (entry.failure !== null && age < FAILED_MS) throw entry.failure;
    if (entry.slot === null || entry.failure !== null || age >= settings.ttlMs) {
      entry.pending ??= this.#refresh(entry, who).finally(() => {
        entry.pending = null;
      });
      await until(entry.pending, who.signal);
    }
    const { slot, failure } = entry;
    if (failure !== null || slot === null)
      throw failure ?? problem('overloaded', `${shown(url)} was closed again at once`);
    return slot.lease() as Lease<RasterLayer>;
  }

  doubt(id: string): void {
    const entry = this.#entries.get(id);
    if (entry) entry.atMs = Number.NEGATIVE_INFINITY;
  }

  beside(catalogue: Catalogue): Catalogue {
    return {
      list: () => catalogue.list(),
      get: id => catalogue.get(id) ?? this.#entries.get(id)?.slot?.layer,
      lease: id => this.#entries.get(id)?.slot?.lease() ?? catalogue.lease(id),
    };
  }

  stats(): RemoteStats {
    const own = { files: this.#entries.size, indexBytes: this.#bytes, opened: this.#opened, evicted: this.#evicted };
    return { ...this.#deps.client.stats(), ...own };
  }

  close(): void {
    this.#stop.abort(problem('draining', 'the server is shutting down'));
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
    this.#deps.client.close();
  }

  /** Room is made before a file is asked for, so that no number of URLs makes more of it. */
  #add(id: string, url: URL): Entry {
    const { settings, ledger } = this.#deps;
    while (this.#entries.size >= settings.filesMax) {
      if (!this.#evictOne())
        throw problem('overloaded', `all ${settings.filesMax} remote files that may be open are being read`);
    }
    const booking = ledger.book('index', ENTRY_BYTES, 'remote files');
    this.#bytes += ENTRY_BYTES;
    return {
      id,
      url,
      slot: null,
      failure: null,
      atMs: Number.NEGATIVE_INFINITY,
      bytes: ENTRY_BYTES,
      pending: null,
      booking,
    };
  }

  async #refresh(entry: Entry, who: Who): Promise<void> {
    const { settings, admit, now } = this.#deps;
    try {
      if (!(entry.slot && (await this.#isSame(entry, entry.slot)))) {
        const permit = await admit(settings.openBytes, { ...who, signal: this.#stop.signal });
        try {
          await this.#open(entry);
        } finally {
          permit.release();
        }
      }
      entry.failure = null;
    } catch (error) {
      // Nobody else's fault: the next one tries at once.
      if (isOwn(error)) throw error;
      entry.failure = error;
    }
    entry.atMs = now();
  }

  async #isSame(entry: Entry, { layer }: OpenSlot): Promise<boolean> {
    try {
      await askAgain(this.#deps.client, layer.source.ref, this.#stop.signal);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== 'source-changed') throw error;
      this.#replace(entry, null, 0);
      return false;
    }
  }

  async #open(entry: Entry): Promise<void> {
    const { client, settings } = this.#deps;
    const { aheadBytes, openBytes, blockBytesMax } = settings;
    const met = await meetRemote(client, entry.url, { aheadBytes, openBytes, signal: this.#stop.signal });
    const limits = blockBytesMax === undefined ? {} : { blockBytesMax };
    const source = await openCog(met.ref, { siblings: false, open: () => met.bytes, ...limits });
    met.settle();
    try {
      this.#fit(entry, source);
      this.#replace(entry, this.#slotOf(entry, source), source.residentBytes);
    } catch (error) {
      await source.close();
      throw error;
    }
    this.#opened++;
  }

  /** Others go until its tables fit beside the rest. */
  #fit({ id, url, bytes }: Entry, { residentBytes }: RasterSource): void {
    const { indexBytes } = this.#deps.settings;
    if (residentBytes + ENTRY_BYTES > indexBytes)
      throw problem('too-large', `${shown(url)}: its tables take ${residentBytes} bytes, more than remote.indexBytes`);
    while (this.#bytes - bytes + ENTRY_BYTES + residentBytes > indexBytes) {
      if (!this.#evictOne(id))
        throw problem('overloaded', 'the tables of the remote files that are being read leave no room for another');
    }
  }

  #slotOf({ id, url }: Entry, source: RasterSource): OpenSlot {
    const { ref } = source;
    const title = decodeURIComponentOr(url.pathname.split('/').at(-1) ?? '') || url.host;
    const options = { ...this.#deps.settings.defaults, title };
    const target: Target = { id, path: ref.href, look: ref.version, options };
    const zooms = source.verdict.servable ? this.#deps.zoomsOf(source) : { minzoom: 0, maxzoom: 0 };
    const layer: RasterLayer = { ...layerBase(target, source, zooms), kind: 'raster', source };
    return createSlot(layer, ref.version, () => void source.close()) as OpenSlot;
  }

  #replace(entry: Entry, slot: OpenSlot | null, residentBytes: number): void {
    const old = entry.slot;
    entry.slot = slot;
    const bytes = ENTRY_BYTES + residentBytes;
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.booking.resize(bytes);
    if (!old) return;
    old.retire();
    this.#deps.onGone(old.layer);
  }

  /** What failed goes first: URLs that are not there must not close those that are. */
  #evictOne(but?: string): boolean {
    const idle = [...this.#entries.values()].filter(
      ({ id, pending, slot }) => id !== but && !pending && (slot?.leases ?? 0) === 0,
    );
    const entry = idle.find(({ slot }) => slot === null) ?? idle[0];
    if (!entry) return false;
    this.#drop(entry);
    this.#evicted++;
    return true;
  }

  /** What is cached of it stays: it is the same file when it is opened again. */
  #drop(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#bytes -= entry.bytes;
    entry.booking.release();
    entry.slot?.retire();
    entry.slot = null;
  }

  #shed(bytes: number): number {
    const before = this.#bytes;
    while (before - this.#bytes < bytes && this.#evictOne());
    return before - this.#bytes;
  }
}

/**
 * Readable, of one URL only, and free of what separates keys. Ids are told of: what a query holds, or a long path, is a digest in
 * it, after a sign that no encoded URL has.
 */
function idOf(url: URL): string {
  const name = shown(url);
  if (name === url.href) return encodeURIComponent(name);
  return `${encodeURIComponent(name)}$${createHash('sha256').update(url.href).digest('base64url').slice(0, 22)}`;
}

function isOwn(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'client-closed' || code === 'overloaded' || code === 'client-over-share' || code === 'draining';
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A client that leaves does not end what others may wait for too. */
function until(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

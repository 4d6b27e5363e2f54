/**
 * Files of other servers that an operator names as layers. They are looked at and opened like those in folders, only less often:
 * one byte, every `ttlMs`. One that cannot be asked for a while is served on as it was last seen; whoever reads it is told.
 */
import { Problem, problem } from '../errors.ts';
import type { Bytes } from '../io/bytes.ts';
import { judgeNamed } from '../io/http/allow.ts';
import type { RangeClient } from '../io/http/client.ts';
import { askAgain, type Met, meetRemote } from '../io/http/remote.ts';
import type { BytesRef, FeatureReads } from '../plan.ts';
import { OVERVIEW_SUFFIX } from '../source/fgb/overview-format.ts';
import type { Source } from '../source/types.ts';
import type { FoundFile, Scan, ScanFault } from './discover.ts';
import type { SourceChoices } from './open.ts';

export interface FarFiles {
  /** URLs as they were named; a fault for each that was never seen. */
  look(urls: readonly string[]): Promise<Scan>;
  /** Errors: those of the client and of the format. */
  open(url: string, choices: SourceChoices): Promise<Source>;
  /** Reading it said that it is another file: the next look asks. */
  doubt(ref: BytesRef): void;
  close(): void;
}

export interface FarDeps {
  readonly client: RangeClient;
  readonly ttlMs: number;
  readonly openBytes: number;
  readonly aheadBytes: number;
  /** Of vector files; what opening one may read stays. */
  readonly features: FeatureReads;
  readonly treeBytes: number;
  /** `beside`: the overview of a vector file; null where there is none. */
  readonly open: (
    ref: BytesRef,
    bytes: Bytes,
    choices: SourceChoices,
    beside: () => Promise<Bytes | null>,
  ) => Promise<Source>;
  readonly now: () => number;
}

interface Seen {
  ref: BytesRef | null;
  fault: string;
  atMs: number;
}

/** What was never there is asked for again after this. */
const MISSING_MS = 10_000;

export function createFarFiles(deps: FarDeps): FarFiles {
  return new Far(deps);
}

class Far implements FarFiles {
  readonly #deps: FarDeps;
  readonly #seen = new Map<string, Seen>();
  readonly #stop = new AbortController();

  constructor(deps: FarDeps) {
    this.#deps = deps;
  }

  async look(urls: readonly string[]): Promise<Scan> {
    const files: FoundFile[] = [];
    const faults: ScanFault[] = [];
    await Promise.all([...new Set(urls)].map(url => this.#ask(url)));
    const beside = [...new Set(urls)].flatMap(url => (this.#seen.get(url)?.ref ? (besideOf(url) ?? []) : []));
    await Promise.all(beside.map(url => this.#ask(url, this.#deps.ttlMs)));
    for (const url of new Set(urls)) {
      const { ref, fault } = this.#seen.get(url) as Seen;
      const beside = this.#seen.get(besideOf(url) ?? '')?.ref;
      if (ref)
        files.push({ path: url, look: beside ? `${ref.version}|${OVERVIEW_SUFFIX}${beside.version}` : ref.version });
      else faults.push({ path: url, detail: fault });
    }
    return { files, folders: [], faults };
  }

  async open(text: string, choices: SourceChoices): Promise<Source> {
    const met = [await this.#meet(judgeNamed(text))];
    const beside = async (): Promise<Bytes | null> => {
      const url = besideOf(text);
      if (url === null || !this.#seen.get(url)?.ref) return null;
      const overview = await this.#meet(judgeNamed(url));
      met.push(overview);
      return this.#doubting(overview.bytes);
    };
    try {
      return await this.#deps.open(met[0].ref, this.#doubting(met[0].bytes), choices, beside);
    } finally {
      for (const each of met) each.settle();
    }
  }

  doubt({ remote }: BytesRef): void {
    for (const seen of this.#seen.values()) {
      if (remote && seen.ref?.remote?.url === remote.url) seen.atMs = Number.NEGATIVE_INFINITY;
    }
  }

  close(): void {
    this.#stop.abort(problem('draining', 'the server is shutting down'));
  }

  async #ask(url: string, missingMs = MISSING_MS): Promise<void> {
    const { now, ttlMs } = this.#deps;
    const seen = this.#seen.get(url) ?? { ref: null, fault: '', atMs: Number.NEGATIVE_INFINITY };
    this.#seen.set(url, seen);
    if (now() - seen.atMs < (seen.ref ? ttlMs : Math.min(ttlMs, missingMs))) return;
    try {
      seen.ref = await this.#askNow(url, seen.ref);
    } catch (error) {
      seen.fault = error instanceof Error ? error.message : String(error);
      if (isGone(error)) seen.ref = null;
    }
    seen.atMs = now();
  }

  async #askNow(text: string, before: BytesRef | null): Promise<BytesRef> {
    const url = judgeNamed(text);
    try {
      if (before) {
        await askAgain(this.#deps.client, before, this.#stop.signal);
        return before;
      }
    } catch (error) {
      if (!isChanged(error)) throw error;
    }
    return (await this.#meet(url)).ref;
  }

  #meet(url: URL): Promise<Met> {
    const { client, openBytes, aheadBytes, features, treeBytes } = this.#deps;
    const { signal } = this.#stop;
    if (!isVector(url)) return meetRemote(client, url, { openBytes, aheadBytes, signal });
    return meetRemote(client, url, { openBytes: treeBytes, aheadBytes, features, signal });
  }

  /** Whoever reads it, the next look knows. */
  #doubting(bytes: Bytes): Bytes {
    return {
      ...bytes,
      read: async (...ask) => {
        try {
          return await bytes.read(...ask);
        } catch (error) {
          if (isChanged(error)) this.doubt(bytes.ref);
          throw error;
        }
      },
    };
  }
}

/** The file, or what is prepared of it. */
function isVector({ pathname }: URL): boolean {
  return /\.fgb(\.plo)?$/i.test(pathname);
}

/** Where the overview of a FlatGeobuf would be: with the same query, which may say who asks. */
function besideOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (!/\.fgb$/i.test(url.pathname)) return null;
  url.pathname += OVERVIEW_SUFFIX;
  return url.href;
}

function isChanged(error: unknown): boolean {
  return error instanceof Problem && error.code === 'source-changed';
}

/** It said so itself; what does not answer may be there again in a moment. */
function isGone(error: unknown): boolean {
  const gone: readonly string[] = ['remote-not-found', 'remote-denied', 'remote-redirected', 'remote-forbidden'];
  return error instanceof Problem && gone.includes(error.code);
}

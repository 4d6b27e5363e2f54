/** Opens what a BytesRef names, wherever it is. One for each thread: it keeps the connections to other servers. */
import { problem } from '../errors.ts';
import type { BytesRef } from '../plan.ts';
import { type Bytes, openBytes } from './bytes.ts';
import { type AheadOptions, createAhead } from './http/ahead.ts';
import type { FetchSettings, RangeClient } from './http/client.ts';
import { remoteBytes } from './http/remote.ts';

export interface Files {
  /** Errors: read-failed, source-changed. */
  open(ref: BytesRef): Bytes;
  /** Ranges that a job will read, read ahead. Close it with the job. */
  ahead(bytes: Bytes, options: AheadOptions): Bytes;
  close(): void;
}

/** null: files of this machine only. */
export function createFiles(settings: FetchSettings | null): Files {
  const client = settings && lazyRangeClient(settings);
  return {
    open: ref => (ref.remote ? remoteBytes(ref, client ?? nobody) : openBytes(ref)),
    ahead: createAhead,
    close: () => client?.close(),
  };
}

const nobody: Pick<RangeClient, 'get'> = {
  get: () => Promise.reject(problem('read-failed', 'files of other servers are not read here')),
};

/** HTTPS takes megabytes of a thread that may never need it, so it is loaded with the first request. */
export function lazyRangeClient(settings: FetchSettings): RangeClient {
  let client: RangeClient | null = null;
  let closed = false;
  const made = async (): Promise<RangeClient> => {
    const { createRangeClient } = await import('./http/client.ts');
    if (closed) throw problem('draining', 'the server is shutting down');
    client ??= createRangeClient(settings);
    return client;
  };
  return {
    get: async (...ask) => (client ?? (await made())).get(...ask),
    stats: () => client?.stats() ?? { requests: 0, retries: 0, failures: 0, bytes: 0, running: 0, waiting: 0 },
    close() {
      closed = true;
      client?.close();
    },
  };
}

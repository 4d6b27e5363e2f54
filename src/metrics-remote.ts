/** Metrics of what is read from other servers. No host, no path and no query is a label: clients name them, without end. */
import type { Metric, Registry } from 'prom-client';
import { REMOTE_SECONDS, type RemoteCounts } from './io/http/tally.ts';
import { gaugesIn, mirror } from './metrics-mirror.ts';

export interface RemoteSources {
  /** Of all threads. */
  remote(): RemoteCounts & { readonly files: number };
}

export function registerRemote(registry: Registry, sources: RemoteSources): void {
  const gauge = gaugesIn(registry);
  mirror(
    registry,
    'plimsoll_remote_requests_total',
    'Requests to other servers, each try one, by outcome: ok or the code of the error.',
    'outcome',
    () => sources.remote().outcomes,
  );
  mirror(
    registry,
    'plimsoll_remote_retries_total',
    'Requests to other servers that were tried again.',
    'cause',
    () => ({
      failed: sources.remote().retries,
    }),
  );
  mirror(registry, 'plimsoll_remote_bytes_total', 'Bytes read from other servers.', 'direction', () => ({
    in: sources.remote().bytes,
  }));
  gauge('plimsoll_remote_requests_running', 'Requests to other servers under way.', () => sources.remote().running);
  gauge('plimsoll_remote_files', 'Rasters of other servers that are open by their URL.', () => sources.remote().files);
  registerDurations(registry, sources);
}

/** The buckets were filled by other threads: they are handed on as they are, where prom-client's own would be filled here. */
function registerDurations(registry: Registry, sources: RemoteSources): void {
  const name = 'plimsoll_remote_request_duration_seconds';
  const help = 'Time of a request to another server, from its connection to the last byte.';
  const get = async () => {
    const { buckets, seconds } = sources.remote();
    let below = 0;
    const values = buckets.map((count, i) => {
      below += count;
      return { metricName: `${name}_bucket`, labels: { le: String(REMOTE_SECONDS[i] ?? '+Inf') }, value: below };
    });
    const whole = [
      { metricName: `${name}_sum`, labels: {}, value: seconds },
      { metricName: `${name}_count`, labels: {}, value: below },
    ];
    return { name, help, type: 'histogram', aggregator: 'sum', values: [...values, ...whole] };
  };
  registry.registerMetric({ name, get, reset: () => {} } as unknown as Metric);
}

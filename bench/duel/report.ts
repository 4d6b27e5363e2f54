/** The table of all rounds. */
import { digits, markdownTable } from '../lib/stats.ts';
import { DEADLINE_MS } from './burst.ts';
import type { Outcome } from './contender.ts';
import { ROUNDS } from './rounds.ts';

const MIB = 2 ** 20;

const HEAD = [
  'round',
  'server',
  `came within ${DEADLINE_MS / 1000} s`,
  'of it degraded',
  'requests 2xx',
  'pictures/s',
  'kills',
  'p50 s',
  'p99 s',
  'looked-at tiles p50 ms',
  'p99 ms',
  'peak U MiB',
  'U, 10–90 % of the time',
];

function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  // 99.97 % is not all of them.
  if (percent > 99.9 && part < whole) return '> 99.9 %';
  return part === 0 ? '0 %' : `${digits(percent)} %`;
}

function inSeconds(ms: number | null): string {
  return ms === null ? `> ${DEADLINE_MS / 1000}` : digits(ms / 1000);
}

function inMs(ms: number | null): string {
  return ms === null ? 'not served' : digits(ms);
}

/** Lowest and highest but for a tenth of the time at either end: a flat line has them close together. */
function band(bytes: readonly number[]): string {
  const sorted = [...bytes].sort((a, b) => a - b);
  const at = (part: number): number => Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) / MIB);
  return `${at(0.1)}–${at(0.9)}`;
}

function row(outcome: Outcome): string[] {
  const { burst, server, startKills, samples } = outcome;
  const kills = `${outcome.kills}${startKills > 0 ? ` + ${startKills} before` : ''}`;
  if (burst === null) return ['', server, 'did not come up', ...HEAD.slice(4).map(() => '–'), kills];
  const bytes = samples.map(([, used]) => used);
  return [
    '',
    server,
    share(burst.got, burst.wanted),
    burst.got === 0 ? '–' : share(burst.degraded, burst.got),
    share(burst.got, burst.requests),
    digits(burst.got / burst.seconds),
    kills,
    inSeconds(burst.waits.p50Ms),
    inSeconds(burst.waits.p99Ms),
    inMs(burst.hot.p50Ms),
    inMs(burst.hot.p99Ms),
    String(Math.round(Math.max(...bytes) / MIB)),
    band(bytes),
  ];
}

export function table(outcomes: readonly Outcome[]): string {
  const rows = ROUNDS.flatMap(({ name, title }) =>
    outcomes
      .filter(({ round }) => round === name)
      .map(row)
      .map((cells, i) => [i === 0 ? title : '', ...cells.slice(1)]),
  );
  return markdownTable(HEAD, rows);
}

/**
 * What the gate costs when nothing presses: two servers side by side, one that enforces and one that only observes, asked the
 * same questions in short turns (on, off, off, on …) so that whatever else the machine does meets both. Caches are off: a
 * hit never comes near the gate. The aim: at least 98 % of the throughput, at most 102 % of the p99.
 *
 *   node bench/goodput.ts [--pairs 20] [--seconds 2] [--connections 4]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load } from './lib/load.ts';
import { digits, markdownTable, quantile } from './lib/stats.ts';

const ROOT = join(import.meta.dirname, '..');
const START_MS = 30_000;

interface Server {
  readonly mode: 'enforce' | 'observe';
  readonly child: ChildProcess;
  readonly port: number;
}

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '4' },
    /** main.js of a build, to measure that instead of the sources. */
    main: { type: 'string', default: join(ROOT, 'src/main.ts') },
  },
});

async function start(mode: Server['mode']): Promise<Server> {
  const sets = [`memory.admission=${mode}`, 'cache.enabled=false', 'discovery.watch=false'].flatMap(set => [
    '--set',
    set,
  ]);
  const args = [
    values.main,
    'serve',
    join(ROOT, 'demo'),
    '--port',
    '0',
    '--memory',
    '2GiB',
    '--log-level',
    'warn',
    ...sets,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${mode}: no port after ${START_MS} ms`)), START_MS);
    let text = '';
    child.stdout.on('data', chunk => {
      text += chunk;
      const match = /Plimsoll serves .*:(\d+)\/\n/.exec(text);
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    child.once('exit', code => reject(new Error(`${mode}: ended with ${code}\n${text}`)));
  });
  return { mode, child, port };
}

/** Vector and raster tiles of all zooms, windows and statistics. */
function questions(): string[] {
  const paths: string[] = [];
  for (let i = 0; i < 120; i++) {
    const z = 2 + (i % 5);
    const [x, y] = [(i * 7) % 2 ** z, Math.floor(2 ** z * 0.3) + (i % 2)];
    paths.push(`/tiles/countries/${z}/${x}/${y}.mvt`, `/tiles/world/${Math.min(z, 4)}/${x % 16}/${y % 8}.png`);
    const west = -150 + (i % 25) * 10;
    if (i % 4 === 0) paths.push(`/cog/bbox/${west},-40,${west + 30},40/256x256.png?url=world`);
    if (i % 40 === 0) paths.push(`/cog/statistics?url=elevation&max_size=${200 + i}`);
  }
  return paths;
}

interface Turn {
  readonly perSecond: number;
  readonly p99Ms: number;
}

async function turn({ port, mode }: Server, seconds: number): Promise<Turn> {
  const result = await load({ port, paths: questions(), connections: Number(values.connections), seconds });
  const bad = Object.entries(result.statuses).filter(([status]) => !/^20/.test(status));
  if (bad.length > 0 || result.errors > 0) throw new Error(`${mode}: ${JSON.stringify(bad)}, ${result.errors} errors`);
  return result;
}

function median(numbers: readonly number[]): number {
  return quantile(Float64Array.from(numbers).sort(), 0.5);
}

async function main(): Promise<void> {
  const servers = await Promise.all([start('enforce'), start('observe')]);
  try {
    const turns: Record<Server['mode'], Turn[]> = { enforce: [], observe: [] };
    for (const server of servers) await turn(server, 3);
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const order = pair % 2 === 0 ? servers : servers.toReversed();
      for (const server of order) turns[server.mode].push(await turn(server, Number(values.seconds)));
    }
    const ratio = (what: keyof Turn) =>
      median(turns.enforce.map((on, i) => on[what] / (turns.observe[i] as Turn)[what]));
    const row = (name: string, what: keyof Turn) => [
      name,
      digits(median(turns.enforce.map(one => one[what]))),
      digits(median(turns.observe.map(one => one[what]))),
      `${digits(100 * ratio(what))} %`,
    ];
    const rows = [row('requests a second', 'perSecond'), row('p99, ms', 'p99Ms')];
    process.stdout.write(`${markdownTable(['', 'gate on', 'gate off', 'median of the pairs'], rows)}\n`);
  } finally {
    for (const { child } of servers) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }
}

await main();

/**
 * How long a server's main thread is held while a layer of millions of features is asked for its first low-zoom tiles: longest
 * delay of the event loop (monitorEventLoopDelay), and how long the first tile takes, cells chosen when asked and chosen ahead.
 *
 *   node bench/stall.ts FILE.fgb [--memory 512MiB]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { testApp } from '../test/lib/app.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { memory: { type: 'string', default: '512MiB' } },
});
const [path] = positionals;
if (path === undefined) throw new Error('node bench/stall.ts FILE.fgb');
const MS = 1e6;

async function measure(what: string, warmUp: boolean): Promise<void> {
  const app = await testApp({
    paths: [path as string],
    memory: values.memory,
    set: { 'vector.warmUp': String(warmUp) },
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const ask = async (url: string) => {
    const begin = performance.now();
    const { statusCode } = await app.server.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    if (statusCode > 204) throw new Error(`${url}: ${statusCode}`);
    return performance.now() - begin;
  };
  delay.enable();
  try {
    const [layer] = app.catalogue.list();
    await sleep(50);
    delay.reset();
    if (warmUp) await sleep(8000);
    const aheadMs = delay.max / MS;
    if (!layer?.lonLatBounds) throw new Error(`${path} is not served`);
    const [w, s, e, n] = layer.lonLatBounds;
    const times: number[] = [];
    for (let z = 0; z <= 6; z++) {
      const x = Math.floor((((w + e) / 2 + 180) / 360) * 2 ** z);
      const sine = Math.sin((((s + n) / 2) * Math.PI) / 180);
      const y = Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** z);
      times.push(await ask(`/tiles/${layer.id}/${z}/${x}/${y}`));
    }
    const list = times.map(ms => ms.toFixed(0)).join(', ');
    const said = warmUp ? `; ${aheadMs.toFixed(0)} ms while the cells are chosen ahead` : '';
    console.log(`${what}: longest stall ${(delay.max / MS).toFixed(0)} ms${said}; z0–z6 took ${list} ms`);
  } finally {
    delay.disable();
    await app.close();
  }
}

await measure('cells chosen when asked', false);
await measure('cells chosen ahead', true);

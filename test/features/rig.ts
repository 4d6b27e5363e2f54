/** A server with only the feature routes over given files; jobs run in this thread. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { createTurns } from '../../src/admission/turns.ts';
import type { Permit } from '../../src/admission/types.ts';
import { problem } from '../../src/errors.ts';
import { registerFeatures } from '../../src/http/features.ts';
import { sendProblem } from '../../src/http/send.ts';
import { statRef } from '../../src/io/bytes.ts';
import type { Catalogue, Layer, LayerOptions } from '../../src/layers/types.ts';
import { createLedger } from '../../src/memory/ledger.ts';
import { type Cost, costBytes } from '../../src/plan.ts';
import { type ItemsJob, runItems } from '../../src/render/items/task.ts';
import { openFgb } from '../../src/source/fgb/open.ts';

export const DATA = resolve(import.meta.dirname, '../../../shared/data/dev/vector');
export const NO_DATA = existsSync(DATA) ? false : `${DATA} is not there`;

export interface Rig {
  app: FastifyInstance;
  ledger: ReturnType<typeof createLedger>;
  costs: Cost[];
  jobs: ItemsJob[];
  leases: { open: number };
  close(): Promise<void>;
}

export async function rig(
  files: Record<string, { path: string; options?: LayerOptions }>,
  extra: Layer[] = [],
): Promise<Rig> {
  const layers = new Map<string, Layer>(extra.map(layer => [layer.id, layer]));
  for (const [id, { path, options = {} }] of Object.entries(files)) {
    const source = await openFgb(statRef(path), { crs: options.crs });
    const { verdict, lonLatBounds } = source;
    const base = {
      id,
      title: id,
      description: null,
      options,
      verdict,
      lonLatBounds,
      version: '1',
      minzoom: 0,
      maxzoom: 14,
    };
    layers.set(id, { ...base, kind: 'vector', source });
  }
  const leases = { open: 0 };
  const catalogue: Catalogue = {
    list: () => [...layers.values()],
    get: id => layers.get(id),
    lease: id => {
      const layer = layers.get(id);
      if (!layer) throw problem('layer-not-found', `no layer is called ${id}`);
      leases.open++;
      return { layer, release: () => leases.open-- };
    },
  };
  const ledger = createLedger({ strict: true });
  const costs: Cost[] = [];
  const jobs: ItemsJob[] = [];
  const app = Fastify() as unknown as FastifyInstance;
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error));
  registerFeatures(app, {
    catalogue,
    publicUrl: () => 'http://maps.test',
    filter: { maxLength: 16_384, maxDepth: 64 },
    limitDefault: 10,
    limitMax: 10_000,
    price: costBytes,
    turns: createTurns(),
    learn: (_cost, _layer, batch) => batch,
    admit: async cost => {
      costs.push(cost);
      return permitOf(ledger.book('inflight', costBytes(cost), 'items'));
    },
    run: async job => {
      jobs.push(job as ItemsJob);
      return runItems(job as ItemsJob, { cancelled: () => false, check: () => {} });
    },
  });
  await app.ready();
  return {
    app,
    ledger,
    costs,
    jobs,
    leases,
    close: async () => {
      await app.close();
      for (const layer of layers.values()) if (layer.kind === 'vector') await layer.source.close();
    },
  };
}

function permitOf(booking: { bytes: number; resize(bytes: number): void; release(): void }): Permit {
  return {
    get bytes() {
      return booking.bytes;
    },
    waitedMs: 0,
    shrinkTo: bytes => booking.resize(bytes),
    grow: bytes => {
      booking.resize(booking.bytes + bytes);
      return true;
    },
    release: () => booking.release(),
  };
}

export interface Collection {
  type: string;
  features: {
    type: string;
    id: number;
    geometry: { type: string; coordinates: unknown } | null;
    properties: Record<string, unknown>;
  }[];
  numberMatched?: number;
  numberReturned: number;
  timeStamp: string;
  links: { rel: string; href: string; type?: string }[];
}

export async function items(app: FastifyInstance, url: string): Promise<Collection> {
  const { statusCode, body } = await app.inject(url);
  if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${body}`);
  return JSON.parse(body);
}

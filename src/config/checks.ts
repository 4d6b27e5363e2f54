/** Rules between keys, which a schema cannot say. */
import { parseRange } from '../io/http/addresses.ts';
import { isUrl, judgeNamed, parseAllowRule, shownPath } from '../io/http/allow.ts';
import { labelLayerId } from '../render/vector/label-plan.ts';
import { clusterBreaches } from './checks-clusters.ts';
import { readTileMatrixSets } from './grids.ts';
import type { KeyPath } from './issues.ts';
import type { Config } from './schema.ts';

/** glibc never maps less than 128 KiB on its own; below twice that a segment is mostly rounding. */
const SEGMENT_BYTES_LEAST = 256 * 1024;

export interface Breach {
  readonly path: KeyPath;
  readonly message: string;
}

export function breaches(config: Config): Breach[] {
  return [
    ...memoryBreaches(config),
    ...serverBreaches(config),
    ...remoteBreaches(config),
    ...layerBreaches(config),
    ...gridBreaches(config),
  ];
}

function memoryBreaches({ memory, features, sessions }: Config): Breach[] {
  const found: Breach[] = [];
  if (memory.warning >= memory.critical) {
    found.push({
      path: ['memory', 'warning'],
      message: `must be below memory.critical (${memory.critical}), not ${memory.warning}`,
    });
  }
  if (features.limitDefault > features.limitMax) {
    const message = `must not exceed features.limitMax (${features.limitMax}), not ${features.limitDefault}`;
    found.push({ path: ['features', 'limitDefault'], message });
  }
  if (sessions.idle > sessions.ttl) {
    found.push({ path: ['sessions', 'idle'], message: 'must not be longer than sessions.ttl' });
  }
  if (memory.limit !== null && memory.limit < 64 * 2 ** 20) {
    found.push({
      path: ['memory', 'limit'],
      message: `${memory.limit} bytes is less than the runtime itself needs; at least 64MiB`,
    });
  }
  if (memory.segmentBytes !== null && memory.segmentBytes < SEGMENT_BYTES_LEAST) {
    const message = `${memory.segmentBytes} bytes would not be mapped on their own, so they would not go back; at least 256KiB`;
    found.push({ path: ['memory', 'segmentBytes'], message });
  }
  return found;
}

function serverBreaches({ server, discovery }: Config): Breach[] {
  const found: Breach[] = [];
  if (server.publicUrl !== null && !isPlainUrl(server.publicUrl)) {
    const message = `must be an http(s) address without query or fragment, not ${JSON.stringify(server.publicUrl)}`;
    found.push({ path: ['server', 'publicUrl'], message });
  }
  server.cors.origins.forEach((origin, i) => {
    if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) return;
    const message = `must be "*" or an origin such as https://maps.example.org, not ${JSON.stringify(origin)}`;
    found.push({ path: ['server', 'cors', 'origins', i], message });
  });
  discovery.extensions.forEach((extension, i) => {
    if (/^\.[A-Za-z0-9]+$/.test(extension)) return;
    found.push({
      path: ['discovery', 'extensions', i],
      message: `must look like .fgb, not ${JSON.stringify(extension)}`,
    });
  });
  return found;
}

function remoteBreaches({ remote }: Config): Breach[] {
  const found: Breach[] = [];
  remote.allow.forEach((rule, i) => {
    if (parseAllowRule(rule)) return;
    const message = `must look like https://data.example.org/cogs/ or https://*.example.org, not ${JSON.stringify(rule)}`;
    found.push({ path: ['remote', 'allow', i], message });
  });
  remote.addresses.forEach((range, i) => {
    if (parseRange(range)) return;
    found.push({
      path: ['remote', 'addresses', i],
      message: `must be an address or a range such as 10.1.0.0/16, not ${JSON.stringify(range)}`,
    });
  });
  return found;
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
}

function layerBreaches({ layers, vector }: Config): Breach[] {
  const found: Breach[] = [];
  for (const [id, layer] of Object.entries(layers)) {
    if (layer.minzoom !== undefined && layer.maxzoom !== undefined && layer.minzoom > layer.maxzoom) {
      found.push({
        path: ['layers', id, 'minzoom'],
        message: `must not exceed maxzoom (${layer.maxzoom}), not ${layer.minzoom}`,
      });
    }
    [layer.path ?? [], layer.mosaic?.paths ?? []].flat().forEach(path => {
      if (!isUrl(path) || namedUrl(path)) return;
      const message = `must be a path or an http(s) URL without a password, not ${shownPath(path)}`;
      found.push({ path: ['layers', id, layer.path === undefined ? 'mosaic' : 'path'], message });
    });
    if (layer.mosaic !== undefined && layer.path !== undefined)
      found.push({ path: ['layers', id, 'mosaic'], message: 'stands in place of path, which is given too' });
    if (layer.overzoom !== undefined && layer.maxzoom === undefined) {
      found.push({ path: ['layers', id, 'overzoom'], message: 'goes beyond maxzoom, which is not given' });
    }
    const labels = labelLayerId(id);
    if (layer.labels && layers[labels] !== undefined) {
      const message = `takes the name ${labels} in tiles, which is the id of another layer`;
      found.push({ path: ['layers', id, 'labels'], message });
    }
    found.push(...clusterBreaches(id, layer, vector));
    layer.rescale?.forEach(([low, high], i) => {
      if (!(low < high))
        found.push({
          path: ['layers', id, 'rescale', i],
          message: `must be [min, max] with min < max, not [${low}, ${high}]`,
        });
    });
  }
  return found;
}

function namedUrl(text: string): boolean {
  try {
    judgeNamed(text);
    return true;
  } catch {
    return false;
  }
}

function gridBreaches({ tileMatrixSets }: Config): Breach[] {
  return readTileMatrixSets(tileMatrixSets).faults.map(({ id, message }) => ({
    path: ['tileMatrixSets', id],
    message,
  }));
}

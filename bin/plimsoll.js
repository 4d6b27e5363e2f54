#!/usr/bin/env node
// What the package installs as `plimsoll`. Plain and old-fashioned, so that any Node gets as far as being told it is too old.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = Number(/\d+/.exec(engines.node)[0]);
if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(`plimsoll needs Node ${needed} or later; this is ${process.version}\n`);
  process.exit(69); // EX_UNAVAILABLE
}
import('../dist/main.js');

/** GDAL's warper beside us (test/oracle/raster_oracle.py): a question at a time, while we paint the next picture. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Cube, readNpy } from './npy-reader.ts';

export interface Gdal {
  /** One at a time. Rejects with what GDAL says. */
  ask(request: Record<string, unknown>): Promise<Cube>;
  close(): void;
}

export function startGdal(python: string): Gdal {
  const folder = mkdtempSync(join(tmpdir(), 'raster-oracle-'));
  const answer = join(folder, 'answer.npy');
  const script = fileURLToPath(new URL('../oracle/raster_oracle.py', import.meta.url));
  const child = spawn(python, [script, answer], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the oracle has ended');
      if (value !== 'ok') throw new Error(`${value}: ${JSON.stringify(request)}`);
      return readNpy(readFileSync(answer));
    },
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What every scenario stands on, made once: the data, and the server compiled as the container has it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

export interface House {
  readonly main: string;
  /** Folder with bytes.tif, floats.tif and the headers that lie. */
  readonly data: string;
  /** A file of a GiB without content: reading it fills the page cache and costs no disk. */
  readonly flood: string;
  remove(): void;
}

export function buildHouse(python: string): House {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-overload-'));
  try {
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    // Type errors are another test's business: what was emitted runs or does not.
    spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(dir, 'dist'), '--declaration', 'false'], {
      cwd: ROOT,
    });
    for (const file of globSync('**/*.json', { cwd: join(ROOT, 'src') })) {
      cpSync(join(ROOT, 'src', file), join(dir, 'dist', file));
    }
    for (const name of ['node_modules', 'viewer', 'demo']) symlinkSync(join(ROOT, name), join(dir, name));
    copyFileSync(join(ROOT, 'package.json'), join(dir, 'package.json'));
    execFileSync(python, [join(import.meta.dirname, 'make-data.py'), dir]);
    const flood = join(dir, 'flood.bin');
    writeFileSync(flood, '');
    execFileSync('truncate', ['-s', '1G', flood]);
    return {
      main: join(dir, 'dist/main.js'),
      data: dir,
      flood,
      remove: () => rmSync(dir, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

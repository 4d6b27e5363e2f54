/** `plimsoll overview FILE…`: prepares the coarse zooms of a FlatGeobuf file in FILE.plo, and says how it went. */
import { resolve } from 'node:path';
import { formatBytes } from '../config/units.ts';
import { reasonsOf } from '../layers/open.ts';
import type { Output } from './check-config.ts';
import { type Built, buildOverview } from './overview-build.ts';

export interface OverviewCommand {
  readonly crs: string | null;
  /** Bytes for sorting, and the share of the file that features may be copied up to. */
  readonly memoryBytes: number;
  readonly share: number;
}

/** Where progress is told: a bar that is drawn over on a terminal, a line a tenth elsewhere. */
export interface ProgressOutput extends Output {
  readonly terminal: boolean;
  /** Without the end of line. */
  part(text: string): void;
}

/** 0: all were made; 1: at least one was not. */
export async function overview(
  files: readonly string[],
  options: OverviewCommand,
  output: ProgressOutput,
): Promise<number> {
  let code = 0;
  for (const file of files) {
    const bar = createBar(file, output);
    try {
      const built = await buildOverview(resolve(file), { ...options, progress: bar.show });
      bar.end();
      output.out(summary(file, built));
    } catch (error) {
      bar.end();
      code = 1;
      for (const { code: reason, detail, remedy } of reasonsOf(error)) {
        output.err(`${file}: ${reason}: ${detail}`);
        if (remedy !== undefined) output.err(`  remedy: ${remedy}`);
      }
    }
  }
  return code;
}

function summary(file: string, { path, bytes, levels }: Built): string {
  if (bytes === null) return `${file}: every zoom shows all its features; it needs no overview`;
  const copied = levels.filter(({ featuresAt }) => featuresAt !== null).length;
  const steps = `${levels.length} steps, ${copied} with their features`;
  return `${path}: ${formatBytes(bytes)}, ${steps}, ${levels.at(-1)?.entries ?? 0} features in the finest`;
}

const WIDTH = 30;

function createBar(file: string, output: ProgressOutput) {
  let told = '';
  let drawn = false;
  return {
    show(what: string, done: number, total: number): void {
      const share = total === 0 ? 1 : done / total;
      const tenth = `${what} ${Math.floor(share * (output.terminal ? 100 : 10))}`;
      if (tenth === told) return;
      told = tenth;
      const percent = `${Math.floor(share * 100)} %`;
      if (output.terminal) {
        const full = Math.round(share * WIDTH);
        output.part(`\r${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent.padStart(5)}  ${what.padEnd(20)}`);
        drawn = true;
      } else output.err(`${file}: ${what}: ${percent}`);
    },
    end(): void {
      if (drawn) output.part('\r\x1b[K');
    },
  };
}

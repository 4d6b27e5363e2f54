/** The table of a run with what it was measured on, and its place in a document between two marks. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { markdownTable } from '../lib/stats.ts';

const BEGIN = '<!-- figures of bench/peers.ts -->';
const END = '<!-- end of figures -->';

function firstLine(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n')[0] ?? '';
}

/** One sentence: processor, memory, kernel. */
export function machine(): string {
  const { model } = cpus()[0] ?? { model: 'unknown processor' };
  const name = model.replace(/\s+/g, ' ').trim();
  return `${cpus().length} × ${name}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
}

export interface Version {
  readonly name: string;
  readonly program: string | undefined;
  readonly args: readonly string[];
}

/** 'MapServer 8.0.0, titiler 2.4.0': what each program says of itself, as far as a number is in it. */
export function versions(list: readonly Version[]): string {
  return list
    .filter(({ program }) => program !== undefined)
    .map(({ name, program, args }) => {
      const number = /\d+\.\d+(\.\d+)?/.exec(firstLine(program!, args))?.[0];
      return number ? `${name} ${number}` : name;
    })
    .join(', ');
}

export interface Figures {
  readonly intro: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Throws where the document has no such place: a table that is written nowhere would be taken for one that is. */
export function writeFigures(path: string, { intro, head, rows }: Figures): void {
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path} has no place between ${BEGIN} and ${END}`);
  const table = markdownTable(head, rows);
  writeFileSync(path, `${text.slice(0, from)}${BEGIN}\n${intro}\n\n${table}\n${text.slice(to)}`);
}

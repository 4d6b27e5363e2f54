/** `plimsoll check-config FILE`: what would be refused at start, with its place; else what would be in force. */
import { ConfigError, formatIssue, loadConfig } from '../config/load.ts';

/** EX_CONFIG of sysexits.h, as the server itself exits on a refused configuration. */
export const EXIT_CONFIG = 78;

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

export function checkConfig(
  file: string | null,
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): number {
  try {
    const config = loadConfig({ file: file ?? env['PLIMSOLL_CONFIG'] ?? null, env });
    const { paths, layers } = config;
    output.out(
      `${file ?? 'the environment alone'}: good; ${paths.length} paths and ${Object.keys(layers).length} layers are named`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const issue of error.issues) output.err(formatIssue(issue));
    output.err(`${error.issues.length} ${error.issues.length === 1 ? 'fault' : 'faults'}`);
    return EXIT_CONFIG;
  }
}

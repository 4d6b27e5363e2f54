/** The command line as plain data. One table of flags a command; an unknown one is named with the nearest. */
import { didYouMean } from './nearest.ts';

export interface FlagText {
  readonly flag: string;
  /** The configuration key it sets. */
  readonly key: string;
  readonly text: string;
}

export type Command =
  | { readonly name: 'serve'; readonly paths: string[]; readonly config: string | null; readonly flags: FlagText[] }
  | { readonly name: 'inspect'; readonly files: string[]; readonly json: boolean; readonly crs: string | null }
  | {
      readonly name: 'overview';
      readonly files: string[];
      readonly crs: string | null;
      readonly memory: string;
      readonly share: string;
    }
  | { readonly name: 'check-config'; readonly file: string | null }
  | { readonly name: 'memory'; readonly config: string | null; readonly flags: FlagText[]; readonly json: boolean }
  | { readonly name: 'help'; readonly topic: string | null }
  | { readonly name: 'version' };

/** Caught by main: exit code 64 (EX_USAGE). */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export interface Flag {
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  /** The configuration key it sets, where it sets one. */
  readonly key?: string;
  readonly help: string;
}

const config: Flag = { value: 'FILE', help: 'configuration file (YAML); also PLIMSOLL_CONFIG' };
const memory: Flag = { value: 'SIZE', key: 'memory.limit', help: 'memory limit, such as 256MiB; else the container’s' };
const set: Flag = { value: 'KEY=VALUE', help: 'any configuration key, such as cache.maxAge=60; may be repeated' };
const workers: Flag = { value: 'N', key: 'memory.workers', help: 'render threads' };

export interface CommandHelp {
  readonly usage: string;
  readonly about: string;
  readonly flags: Readonly<Record<string, Flag>>;
}

export const COMMANDS = {
  serve: {
    usage: 'plimsoll serve [PATH…] [flags]',
    about: 'Serves the files and folders; without any, the paths of the configuration, else the demo data.',
    flags: {
      port: { value: 'N', key: 'server.port', help: 'TCP port (9000; 0 takes a free one)' },
      host: { value: 'ADDR', key: 'server.host', help: 'address to listen on (0.0.0.0)' },
      memory,
      config,
      workers,
      'public-url': { value: 'URL', key: 'server.publicUrl', help: 'address clients see, with base path' },
      'log-level': { value: 'LEVEL', key: 'log.level', help: 'trace, debug, info, warn, error, fatal or silent' },
      set,
    },
  },
  inspect: {
    usage: 'plimsoll inspect FILE… [--json] [--crs CRS]',
    about:
      'Says of each file whether it can be served right, and if not, why and what mends it. Exit code 1 if any cannot.',
    flags: {
      json: { help: 'one JSON object a line' },
      crs: { value: 'CRS', help: 'CRS to assume, as a layer’s crs option would' },
    },
  },
  overview: {
    usage: 'plimsoll overview FILE… [--memory SIZE] [--share X] [--crs CRS]',
    about:
      'Prepares the coarse zooms of FlatGeobuf files in FILE.plo, for files that are far away or have millions of features.',
    flags: {
      memory: { value: 'SIZE', help: 'memory for sorting (64MiB)' },
      share: { value: 'X', help: 'features are copied up to this share of the file (0.25); 0 copies none' },
      crs: { value: 'CRS', help: 'CRS to assume, as the layer’s crs option does' },
    },
  },
  'check-config': {
    usage: 'plimsoll check-config FILE',
    about: 'Checks a configuration with the environment it would meet. Exit code 78 if it is refused.',
    flags: {},
  },
  memory: {
    usage: 'plimsoll memory [--limit 256MiB] [--config FILE]',
    about: 'Prints the budget that a memory limit leads to.',
    flags: { limit: memory, memory, workers, config, set, json: { help: 'as JSON' } },
  },
} as const satisfies Record<string, CommandHelp>;

interface Given {
  readonly positional: string[];
  readonly values: { readonly name: string; readonly text: string }[];
}

/** `argv` without node and script. No command, or a path in its place, means serve. */
export function parseArgs(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (first === 'help') return { name: 'help', topic: rest[0] ?? null };
  if (first === '--version' || first === '-v' || first === 'version') return { name: 'version' };
  const asked = argv.some(arg => arg === '--help' || arg === '-h');
  const named = first !== undefined && first in COMMANDS;
  if (asked) return { name: 'help', topic: named ? first : null };
  if (!named && first !== undefined && !first.startsWith('-') && !looksLikePath(first)) {
    throw new UsageError(
      `unknown command ${JSON.stringify(first)}${didYouMean(first, Object.keys(COMMANDS)) || '; see plimsoll --help'}`,
    );
  }
  const name = (named ? first : 'serve') as keyof typeof COMMANDS;
  return build(name, split(name, named ? rest : argv));
}

function looksLikePath(text: string): boolean {
  return /[/\\.]/.test(text);
}

function split(command: keyof typeof COMMANDS, args: readonly string[]): Given {
  const flags: Readonly<Record<string, Flag>> = COMMANDS[command].flags;
  const given: Given = { positional: [], values: [] };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--') {
      given.positional.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      given.positional.push(arg);
      continue;
    }
    const [, name, inline] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [null, arg, undefined];
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (!flag) {
      const near = didYouMean(
        `--${name}`,
        Object.keys(flags).map(known => `--${known}`),
      );
      throw new UsageError(`plimsoll ${command} has no flag ${arg.startsWith('--') ? `--${name}` : arg}${near}`);
    }
    if (flag.value === undefined && inline !== undefined) throw new UsageError(`--${name} takes no value`);
    const text = flag.value === undefined ? 'true' : (inline ?? args[++i]);
    if (text === undefined) throw new UsageError(`--${name} needs a value: --${name} ${flag.value}`);
    given.values.push({ name, text });
  }
  return given;
}

function build(name: keyof typeof COMMANDS, given: Given): Command {
  const last = (flag: string) => given.values.findLast(value => value.name === flag)?.text ?? null;
  const json = last('json') !== null;
  switch (name) {
    case 'serve':
      return { name, paths: given.positional, config: last('config'), flags: configFlags(name, given) };
    case 'memory':
      if (given.positional.length > 0)
        throw new UsageError(`plimsoll memory takes no ${given.positional[0]}: write --limit SIZE`);
      return { name, config: last('config'), flags: configFlags(name, given), json };
    case 'inspect':
      if (given.positional.length === 0) throw new UsageError('plimsoll inspect needs at least one FILE');
      return { name, files: given.positional, json, crs: last('crs') };
    case 'overview':
      if (given.positional.length === 0) throw new UsageError('plimsoll overview needs at least one FILE');
      return {
        name,
        files: given.positional,
        crs: last('crs'),
        memory: last('memory') ?? '64MiB',
        share: last('share') ?? '0.25',
      };
    case 'check-config':
      if (given.positional.length > 1) throw new UsageError('plimsoll check-config takes one FILE');
      return { name, file: given.positional[0] ?? null };
  }
}

function configFlags(command: keyof typeof COMMANDS, given: Given): FlagText[] {
  const flags: Readonly<Record<string, Flag>> = COMMANDS[command].flags;
  return given.values.flatMap(({ name, text }) => {
    if (name === 'set') {
      const equals = text.indexOf('=');
      if (equals < 1) throw new UsageError(`--set needs KEY=VALUE, not ${JSON.stringify(text)}`);
      return [{ flag: `--set ${text.slice(0, equals)}`, key: text.slice(0, equals), text: text.slice(equals + 1) }];
    }
    const key = flags[name]?.key;
    return key === undefined ? [] : [{ flag: `--${name}`, key, text }];
  });
}

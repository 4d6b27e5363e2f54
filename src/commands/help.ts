/** `plimsoll --help`, `plimsoll help serve`, from the same table that parses. */
import { COMMANDS, type CommandHelp } from '../args.ts';

export function helpText(topic: string | null): string {
  if (topic !== null && topic in COMMANDS) return commandText(COMMANDS[topic as keyof typeof COMMANDS]);
  const commands = Object.values(COMMANDS).flatMap(({ usage, about }) => [`  ${usage}`, `      ${about}`]);
  return [
    'Plimsoll serves FlatGeobuf and Cloud Optimized GeoTIFF as tiles, features and windows, within a memory limit.',
    '',
    ...commands,
    '  plimsoll help COMMAND | --help | --version',
    '',
    'Every configuration key is also an environment variable: cache.maxAge is PLIMSOLL_CACHE_MAX_AGE.',
    '',
  ].join('\n');
}

function commandText({ usage, about, flags }: CommandHelp): string {
  const rows = Object.entries(flags).map(
    ([name, { value, help }]) => [`--${name}${value ? ` ${value}` : ''}`, help] as const,
  );
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return [usage, '', about, '', ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`), ''].join('\n');
}

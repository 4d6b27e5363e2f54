/** Sizes and durations as people write them. Strict: what could be read two ways is refused with the way to write it. */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  // Kubernetes spells the same without the B.
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

const MS_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Answers a sentence instead of throwing, since the caller knows the file, line and key. */
export type Parsed = { readonly value: number } | { readonly fault: string };

export const BYTES_PATTERN = '^[0-9]+(\\.[0-9]+)? ?(B|[kK]B|[MGT]B|[KMGT]iB?)?$';
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)$';

export function parseBytes(text: string): Parsed {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)$/.exec(text.trim());
  if (!match)
    return { fault: `${JSON.stringify(text)} is not a size: write a number and a unit, such as 256MiB or 1.5GiB` };
  const [, number, unit] = match;
  const factor = unit === '' ? 1 : BYTE_UNITS[unit];
  if (factor === undefined) return { fault: `unknown unit in ${JSON.stringify(text)}: ${unitHint(number, unit)}` };
  const bytes = Number(number) * factor;
  if (!Number.isSafeInteger(bytes)) {
    return { fault: `${JSON.stringify(text)} is not a whole number of bytes` };
  }
  return { value: bytes };
}

/** "256m" is 256 MiB to Docker and 0.256 bytes to Kubernetes. */
function unitHint(number: string, unit: string): string {
  const letter = unit[0].toUpperCase();
  if ('KMGT'.includes(letter))
    return `write ${number}${letter}iB (powers of 1024) or ${number}${letter}B (powers of 1000)`;
  return `use one of ${Object.keys(BYTE_UNITS).join(', ')}`;
}

export function parseDuration(text: string): Parsed {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) {
    return {
      fault: `${JSON.stringify(text)} is not a duration: write a number and one of ms, s, m, h, d, such as 1500ms or 5m`,
    };
  }
  const ms = Number(match[1]) * MS_UNITS[match[2]];
  if (!Number.isSafeInteger(ms)) return { fault: `${JSON.stringify(text)} is not a whole number of milliseconds` };
  return { value: ms };
}

/** 268435456 → "256 MiB": the largest binary unit that leaves at most one decimal of noise. */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  const size = Math.abs(bytes);
  for (const [unit, factor] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (size >= factor) return `${sign}${Number((size / factor).toFixed(1))} ${unit}`;
  }
  return `${sign}${size} B`;
}

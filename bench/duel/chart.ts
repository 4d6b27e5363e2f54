/** Memory over time as an SVG: one panel a round, one line a server, the limit across all. */
import type { Outcome } from './contender.ts';
import { ROUNDS } from './rounds.ts';
import type { Sample } from './watch.ts';

const PANEL = { width: 280, height: 180, left: 44, top: 34, gap: 22 };
const FOOT = 52;
const MIB = 2 ** 20;
/** Readable on white and on black, and by those who tell red from green badly. */
const COLOURS = ['#0072b2', '#d55e00', '#cc79a7', '#009e73', '#e69f00'];
/** Points a line: more cannot be seen. */
const POINTS = 140;

interface Scale {
  readonly x: (seconds: number) => number;
  readonly y: (bytes: number) => number;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, char => `&#${char.charCodeAt(0)};`);
}

/** The highest of each span, so that no peak is lost. */
function thinned(samples: readonly Sample[]): Sample[] {
  const span = Math.max(1, Math.ceil(samples.length / POINTS));
  return Array.from({ length: Math.ceil(samples.length / span) }, (_, i) =>
    samples.slice(i * span, (i + 1) * span).reduce((top, sample) => (sample[1] > top[1] ? sample : top)),
  );
}

function line(samples: readonly Sample[], colour: string, { x, y }: Scale): string {
  const points = thinned(samples).map(([at, bytes]) => `${x(at).toFixed(1)},${y(bytes).toFixed(1)}`);
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
}

function axes(title: string, limitBytes: number, seconds: number, { x, y }: Scale): string {
  const right = x(seconds);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(part => {
    const bytes = part * limitBytes;
    const dash = part === 1 ? 'stroke="#c00" stroke-dasharray="5 3"' : 'stroke="#8888" stroke-width="0.5"';
    const label = `<text x="${PANEL.left - 5}" y="${(y(bytes) + 4).toFixed(1)}" text-anchor="end">${Math.round(bytes / MIB)}</text>`;
    return `<path d="M${x(0)} ${y(bytes).toFixed(1)}H${right.toFixed(1)}" ${dash}/>${label}`;
  });
  const ticks = [0, 10, 20, 30].filter(at => at <= seconds);
  const times = ticks.map(at => `<text x="${x(at).toFixed(1)}" y="${y(0) + 15}" text-anchor="middle">${at} s</text>`);
  return `<text x="${PANEL.left}" y="18" font-weight="bold">${escaped(title)}, MiB</text>${grid.join('')}${times.join('')}`;
}

export function chart(outcomes: readonly Outcome[], limitMiB: number): string {
  const servers = [...new Set(outcomes.map(({ server }) => server))];
  const colourOf = (server: string): string => COLOURS[servers.indexOf(server) % COLOURS.length]!;
  const seconds = Math.max(...outcomes.flatMap(({ samples }) => samples.map(([at]) => at)), 1);
  const scale: Scale = {
    x: at => PANEL.left + (at / seconds) * PANEL.width,
    y: bytes => PANEL.top + PANEL.height * (1 - bytes / (limitMiB * MIB * 1.04)),
  };
  const rounds = ROUNDS.filter(({ name }) => outcomes.some(({ round }) => round === name));
  const step = PANEL.left + PANEL.width + PANEL.gap;
  const panels = rounds.map(({ name, title }, i) => {
    const lines = outcomes
      .filter(({ round, samples }) => round === name && samples.length > 0)
      .map(({ samples, server }) => line(samples, colourOf(server), scale));
    const body = axes(title, limitMiB * MIB, seconds, scale) + lines.toReversed().join('');
    return `<g transform="translate(${i * step} 0)">${body}</g>`;
  });
  const width = step * rounds.length;
  const height = PANEL.top + PANEL.height + FOOT;
  const legend = servers.map((server, i) => {
    const at = PANEL.left + i * 190;
    return `<path d="M${at} ${height - 12}h22" stroke="${colourOf(server)}" stroke-width="3"/><text x="${at + 28}" y="${height - 8}">${escaped(server)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#777">
<title>MiB that the kernel cannot take back, under a limit of ${limitMiB} MiB (dashed)</title>
${[...panels, ...legend].join('\n')}
</svg>
`;
}

/** What the log says of layers that come, change and go. */
import type { Layer } from './types.ts';

/** The part of a pino logger this room uses. */
export interface Log {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface Change {
  readonly kind: 'added' | 'replaced' | 'removed';
  readonly id: string;
  /** The layer as it is now; of a removed one, as it was. */
  readonly layer: Layer;
}

/** Notes that an operator is told of at load: such files are served, but their far zooms are dear. */
const DEAR: ReadonlySet<string> = new Set(['tiff-no-overviews', 'tiff-few-overviews']);

export function lacksOverviews({ verdict }: Layer): boolean {
  return verdict.notes.some(({ code }) => DEAR.has(code));
}

export function reportChange(log: Log, { kind, id, layer }: Change): void {
  const { servable, reasons, notes } = layer.verdict;
  if (kind !== 'removed' && !servable)
    log.warn(
      { layer: id, reasons: reasons.map(each => `${each.code}: ${each.detail}`) },
      `layer ${kind}, not servable`,
    );
  else log.info({ layer: id, kind: layer.kind }, `layer ${kind}`);
  if (kind === 'removed') return;
  for (const { code, detail, remedy } of notes) if (DEAR.has(code)) log.warn({ layer: id, code, remedy }, detail);
}

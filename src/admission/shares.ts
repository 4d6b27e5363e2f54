/**
 * Who holds how much of the budget, and whether one more request fits. Pure bookkeeping: no queue, no clock, no promises.
 */
import type { Level } from '../memory/types.ts';
import type { Bottleneck, PermitClass } from './types.ts';

export const CLASSES: readonly PermitClass[] = ['tile', 'window', 'bulk'];

export interface ShareSettings {
  /** Share of the budget that other classes may not take from this one. */
  readonly floors: Readonly<Record<PermitClass, number>>;
  /** What one client may hold, and what it may hold while nobody else waits. One request is always allowed. */
  readonly clientShare: number;
  readonly clientBorrowShare: number;
}

/** The moment that a question of fit is asked in. */
export interface Moment {
  readonly budget: number;
  readonly level: Level;
  /** Bytes in flight that no permit stands for: replies on the wire. */
  readonly replies: number;
  /** Those of the asking client among them. */
  readonly ownReplies: number;
  /** Replies may hold so much when one is admitted because nothing else is at work. */
  readonly aloneRepliesMax: number;
  /** True where another client's request waits. */
  readonly othersWait: boolean;
}

export class Shares {
  readonly bytes: Record<PermitClass, number> = { tile: 0, window: 0, bulk: 0 };
  readonly count: Record<PermitClass, number> = { tile: 0, window: 0, bulk: 0 };
  #clients = new Map<string, number>();
  #settings: ShareSettings;

  constructor(settings: ShareSettings) {
    this.#settings = settings;
  }

  get held(): number {
    return this.bytes.tile + this.bytes.window + this.bytes.bulk;
  }

  get permits(): number {
    return this.count.tile + this.count.window + this.count.bulk;
  }

  clientBytes(client: string): number {
    return this.#clients.get(client) ?? 0;
  }

  get clients(): number {
    return this.#clients.size;
  }

  open(kind: PermitClass, client: string, bytes: number): void {
    this.count[kind]++;
    this.change(kind, client, bytes);
  }

  close(kind: PermitClass, client: string, bytes: number): void {
    this.count[kind]--;
    this.change(kind, client, -bytes);
  }

  change(kind: PermitClass, client: string, delta: number): void {
    this.bytes[kind] += delta;
    const bytes = this.clientBytes(client) + delta;
    // A client that holds nothing is forgotten, or the map would grow with every address that ever asked.
    if (bytes === 0) this.#clients.delete(client);
    else this.#clients.set(client, bytes);
  }

  /** True where `bytes` more stay within what is set aside for the class, which no other class can have taken. */
  withinFloor(kind: PermitClass, bytes: number, moment: Moment): boolean {
    const floor = this.#settings.floors[kind] * moment.budget;
    return this.bytes[kind] + bytes <= floor && this.held + moment.replies + bytes <= moment.budget;
  }

  /** What stands in the way of `bytes` more for this class and client; null: nothing. */
  obstacle(kind: PermitClass, client: string, bytes: number, moment: Moment): Bottleneck | null {
    if (moment.level === 'critical') {
      if (kind === 'tile' && this.#alone(moment)) return null;
      return this.withinFloor(kind, bytes, moment) ? this.overShare(client, bytes, moment) : 'level';
    }
    if (moment.level === 'warning' && kind === 'bulk') return 'level';
    if (this.#alone(moment)) return null;
    return this.noRoom(kind, bytes, moment) ?? this.overShare(client, bytes, moment);
  }

  /**
   * Always one: else a budget that reality has eaten would stop the server for good. But not on top of replies that
   * nobody reads, or one after the other would fill the memory with them.
   */
  #alone(moment: Moment): boolean {
    return this.permits === 0 && leavesRoom(moment);
  }

  /** Whether a permit may hold `bytes` more than it does: the only one may, up to the ceiling. */
  mayGrow(kind: PermitClass, bytes: number, moment: Moment): boolean {
    return (this.permits === 1 && leavesRoom(moment)) || this.noRoom(kind, bytes, moment) === null;
  }

  /** The part of obstacle() that is about bytes alone; it also decides whether a permit may grow. */
  noRoom(kind: PermitClass, bytes: number, moment: Moment): 'budget' | 'floor' | null {
    const used = this.held + moment.replies + bytes;
    if (used > moment.budget) return 'budget';
    let reserved = 0;
    for (const other of CLASSES) {
      if (other !== kind) reserved += Math.max(0, this.#settings.floors[other] * moment.budget - this.bytes[other]);
    }
    return used + reserved > moment.budget && !this.withinFloor(kind, bytes, moment) ? 'floor' : null;
  }

  /** What it holds already and `bytes` more are beyond its share, whether there is room or not. */
  overShare(client: string, bytes: number, moment: Moment): 'client' | null {
    const holds = this.clientBytes(client) + moment.ownReplies;
    if (holds === 0) return null;
    const { clientShare, clientBorrowShare } = this.#settings;
    // Alone no less than beside others, whatever was set.
    const share = moment.othersWait ? clientShare : Math.max(clientShare, clientBorrowShare);
    return holds + bytes > share * moment.budget ? 'client' : null;
  }
}

function leavesRoom({ replies, aloneRepliesMax }: Moment): boolean {
  return replies <= aloneRepliesMax;
}

/**
 * The gate. A request says what it will hold at most and gets a permit for that many bytes, waits for one, or is
 * refused. Bytes are on the ledger from the moment of admission, so that a burst cannot pass a check that none of its
 * members has yet made come true; that is what a gate that samples memory gets wrong.
 *
 *   acquire ─► too large? 413 ─► fits? permit ─► else wait ─► permit, or 503 / 429 when 70 % of the deadline are gone
 *
 * Rules: one is always admitted when nothing is in flight; each class has a floor that others cannot take; the request
 * that has waited longest is never overtaken by others of its class, and by other classes only within their own floors,
 * unless its client is over its share: then it waits for itself, and everybody goes before it.
 */
import { type Problem, problem } from '../errors.ts';
import type { Cost } from '../plan.ts';
import { HeldPermit } from './permit.ts';
import { type Correction, createPriceBook } from './price.ts';
import { cameBefore, type Waiter, WaitingRoom } from './queue.ts';
import { ADMISSION_DEFAULTS, type AdmissionSettings, scheduleTimeout } from './settings.ts';
import { CLASSES, type Moment, Shares } from './shares.ts';
import { type Counters, countRefusal, createCounters, DrainRate, gone, refusal, retryAfterSeconds } from './tally.ts';
import type { Admission, AdmissionStats, Bottleneck, Permit, PermitClass, PermitRequest } from './types.ts';

export type { Admission };

/** How often waiting requests are looked at when no permit is given back: deadlines, a budget that recovers. */
const TICK_MS = 25;

export function createAdmission(settings: AdmissionSettings): Admission {
  return new Gate(settings);
}

/** What is granted. */
type Wanted = Pick<PermitRequest, 'bytes' | 'class' | 'client'>;

class Gate implements Admission {
  #s;
  #shares: Shares;
  #room = new WaitingRoom();
  #counters: Counters = createCounters();
  #drain: DrainRate;
  #book;
  #cancelTick: (() => void) | null = null;
  #turn = 0;
  #closed = false;

  constructor(settings: AdmissionSettings) {
    this.#s = {
      now: () => performance.now(),
      random: Math.random,
      schedule: scheduleTimeout,
      repliesOf: () => 0,
      ...ADMISSION_DEFAULTS,
      ...settings,
      floors: { ...ADMISSION_DEFAULTS.floors, ...settings.floors },
    };
    this.#shares = new Shares(this.#s);
    this.#book = createPriceBook(settings.price);
    this.#drain = new DrainRate(this.#s.now);
  }

  price(cost: Cost, op: string, layer: string): number {
    return this.#book.price(cost, op, layer);
  }

  learn(op: string, layer: string, cost: Cost, peakBytes: number): void {
    this.#book.learn(op, layer, cost, peakBytes);
  }

  corrections(): readonly Correction[] {
    return this.#book.corrections();
  }

  acquire(asked: PermitRequest): Promise<Permit> {
    if (!(asked.bytes >= 0)) return Promise.reject(new RangeError(`a permit of ${asked.bytes} bytes: not a size`));
    const request = { ...asked, bytes: Math.ceil(asked.bytes) };
    if (this.#closed) return Promise.reject(problem('draining', 'the server takes no new work'));
    if (request.signal.aborted) return Promise.reject(gone());
    if (this.#s.mode === 'observe') return Promise.resolve(this.#shadow(request));
    if (request.bytes > this.#s.ceilingBytes) return this.#tooLarge(request);
    const obstacle = this.#obstacle(request);
    if (this.#room.count === 0 && obstacle === null) return Promise.resolve(this.#grant(request, 0));
    if (request.patienceMs === 0) return Promise.reject(this.#refusal(request, obstacle ?? 'budget'));
    return new Promise((resolve, reject) => this.#enqueue(request, resolve, reject));
  }

  acquireNow({ bytes, class: kind, client }: Wanted): Permit | null {
    const request = { bytes: Math.ceil(bytes), class: kind, client };
    if (this.#closed || this.#s.mode === 'observe' || this.#room.count > 0) return null;
    if (!(request.bytes <= this.#s.ceilingBytes) || this.#obstacle(request) !== null) return null;
    return this.#grant(request, 0);
  }

  /** Admits everything and counts what would not have been. */
  #shadow(request: PermitRequest): Permit {
    const obstacle = this.#obstacle(request);
    if (request.bytes > this.#s.ceilingBytes) this.#counters.refused['too-large']++;
    else if (obstacle !== null) this.#refusal(request, obstacle);
    return this.#grant(request, 0);
  }

  #moment(client: string): Moment {
    return {
      budget: this.#s.budgetBytes(),
      level: this.#s.level(),
      replies: this.#s.ledger.inUse.replies,
      ownReplies: this.#s.repliesOf(client),
      aloneRepliesMax: this.#s.aloneRepliesShare * this.#s.ceilingBytes,
      othersWait: this.#room.count > this.#room.countOf(client),
    };
  }

  #obstacle({ class: kind, client, bytes }: Wanted): Bottleneck | null {
    return this.#shares.obstacle(kind, client, bytes, this.#moment(client));
  }

  #grant(request: Wanted, waitedMs: number): Permit {
    const { class: kind, client, bytes } = request;
    const alone = this.#shares.permits === 0 && bytes > this.#s.budgetBytes();
    const booking = this.#s.ledger.book('inflight', bytes, `${kind} permit`);
    this.#shares.open(kind, client, bytes);
    this.#counters.admitted[kind]++;
    this.#counters.waitedMsSum += waitedMs;
    if (alone) this.#counters.admittedAlone++;
    return new HeldPermit(waitedMs, booking, {
      resized: delta => {
        this.#shares.change(kind, client, delta);
        if (delta < 0) this.#freed(-delta);
      },
      mayGrow: extra => this.#mayGrow(request, booking.bytes, extra),
      closed: held => {
        this.#shares.close(kind, client, held);
        this.#freed(held);
      },
    });
  }

  #mayGrow({ class: kind, client }: Wanted, held: number, extra: number): boolean {
    if (this.#s.mode === 'observe') return true;
    const fits = held + extra <= this.#s.ceilingBytes && this.#shares.mayGrow(kind, extra, this.#moment(client));
    if (!fits) this.#counters.growRefused++;
    return fits;
  }

  #freed(bytes: number): void {
    this.#drain.add(bytes);
    this.#dispatch();
  }

  #enqueue(request: PermitRequest, resolve: (permit: Permit) => void, reject: (error: unknown) => void): void {
    const left = (): void => {
      this.#room.leave(waiter);
      this.#counters.abandoned++;
      reject(gone());
      this.#dispatch();
    };
    const forget = (): void => request.signal.removeEventListener('abort', left);
    const sinceMs = this.#s.now();
    const cameMs = sinceMs - (request.waitedMs ?? 0);
    // Who has less than a share of its deadline left could not be done in time any more.
    const inTime = cameMs + this.#s.deadlineMs * (1 - this.#s.deadlineShareMin);
    const untilMs = Math.min(inTime, sinceMs + (request.patienceMs ?? Number.POSITIVE_INFINITY));
    const times = { turn: this.#turn++, sinceMs, cameMs, untilMs };
    const waiter: Waiter = { request, ...times, resolve, reject, forget, older: null, newer: null };
    request.signal.addEventListener('abort', left, { once: true });
    this.#room.join(waiter);
    this.#dispatch();
    if (this.#room.holds(waiter)) this.#boundQueue(waiter);
    this.#tickSoon();
  }

  #refuse(waiter: Waiter, bottleneck: Bottleneck): void {
    this.#room.leave(waiter);
    waiter.reject(this.#refusal(waiter.request, bottleneck));
  }

  /** A newcomer that does not fit may wait, unless the queue or its client's part of it is full, or waiting is in vain. */
  #boundQueue(waiter: Waiter): void {
    const { class: kind, client } = waiter.request;
    if (kind !== 'tile' && this.#obstacle(waiter.request) === 'level') this.#refuse(waiter, 'level');
    else if (this.#room.countOf(client) > this.#s.clientQueueCountMax) this.#refuse(waiter, 'client');
    const bytesMax = this.#s.queueBudgets * Math.max(this.#s.budgetBytes(), this.#s.ceilingBytes);
    while (this.#room.count > this.#s.queueCountMax || this.#room.bytes > bytesMax) {
      this.#makeWay(this.#room.count > this.#s.queueCountMax ? 'count' : 'bytes', waiter);
    }
  }

  /** Calm: the newcomer goes. Loaded: the oldest, whose client has most likely given up. But first of a client that crowds others out. */
  #makeWay(by: 'count' | 'bytes', newcomer: Waiter): void {
    const loaded = this.#loaded();
    const usual = loaded || !this.#room.holds(newcomer) ? this.#room.oldest()! : newcomer;
    const { waiter, crowds } = this.#room.victim(by, usual, loaded ? 'oldest' : 'newest');
    this.#refuse(waiter, crowds ? 'client' : `queue-${by}`);
  }

  /** A queue that is long but moves in time stays first come, first served: whoever is passed over would come too late. */
  #loaded(): boolean {
    return this.#s.level() !== 'normal' || this.#room.isLate(this.#s.now(), this.#s.loadedAfterMs);
  }

  async #tooLarge({ class: kind, bytes, fits, patienceMs }: PermitRequest): Promise<never> {
    const ceiling = this.#s.ceilingBytes;
    // A tile with a lesser one behind it is not refused yet.
    if (kind === 'tile' && patienceMs !== undefined) this.#counters.steppedDown++;
    else this.#counters.refused['too-large']++;
    const lesser = fits && { fits: await fits(ceiling / bytes) };
    const detail = `a ${kind} of ${bytes} bytes is above the ceiling of ${ceiling} bytes for one request`;
    throw problem('too-large', detail, { required: bytes, ceiling, ...lesser });
  }

  #refusal(request: PermitRequest, bottleneck: Bottleneck): Problem {
    const { random, retryAfterMax } = this.#s;
    const ahead = this.#room.bytes + request.bytes;
    const error = refusal(request, bottleneck, {
      budget: this.#s.budgetBytes(),
      held: this.#shares.held,
      queued: this.#room.count,
      retryAfterSeconds: retryAfterSeconds(ahead, this.#drain.bytesPerSecond, random, retryAfterMax),
    });
    countRefusal(this.#counters, request, bottleneck);
    return error;
  }

  #expire(): void {
    for (const waiter of this.#room.expired(this.#s.now())) {
      this.#refuse(waiter, this.#obstacle(waiter.request) ?? 'budget');
    }
  }

  /** Grants as long as somebody fits. */
  #dispatch(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      this.#room.leave(next);
      next.resolve(this.#grant(next.request, this.#s.now() - next.sinceMs));
    }
  }

  /**
   * Who is to be admitted now. Each class puts up one candidate; they are tried by age, and once one does not fit, those
   * of the other classes may only have what their own floor sets aside: the rest drains for the one who waits longest.
   */
  #next(): Waiter | null {
    const candidates = CLASSES.map(kind => this.#candidate(kind)).filter(waiter => waiter !== null);
    candidates.sort((a, b) => (cameBefore(a, b) ? -1 : 1));
    let blocked = false;
    for (const waiter of candidates) {
      const { class: kind, client, bytes } = waiter.request;
      const obstacle = this.#obstacle(waiter.request);
      if (obstacle === null && (!blocked || this.#shares.withinFloor(kind, bytes, this.#moment(client)))) return waiter;
      if (obstacle === 'budget' || obstacle === 'floor') blocked = true;
    }
    return null;
  }

  #candidate(kind: PermitClass): Waiter | null {
    const newestFirst = this.#loaded();
    return this.#room.lines[kind].candidate(
      newestFirst,
      ({ request }) => this.#waitsForItself(request),
      client => this.#shares.clientBytes(client) + this.#s.repliesOf(client) === 0,
    );
  }

  /** It cannot go before its own client gives back, whether there is room or not: nobody waits behind it. */
  #waitsForItself(wanted: Wanted): boolean {
    const { client, bytes } = wanted;
    return this.#obstacle(wanted) !== null && this.#shares.overShare(client, bytes, this.#moment(client)) !== null;
  }

  #tickSoon(): void {
    if (this.#cancelTick !== null || this.#room.count === 0) return;
    this.#cancelTick = this.#s.schedule(TICK_MS, () => {
      this.#cancelTick = null;
      this.#expire();
      this.#dispatch();
      this.#tickSoon();
    });
  }

  stats(): AdmissionStats {
    return {
      mode: this.#s.mode,
      budgetBytes: this.#s.budgetBytes(),
      heldBytes: { ...this.#shares.bytes },
      held: { ...this.#shares.count },
      queued: this.#room.counts,
      queuedBytes: this.#room.bytes,
      ...structuredClone(this.#counters),
      drainBytesPerSecond: this.#drain.bytesPerSecond,
    };
  }

  close(): void {
    this.#closed = true;
    this.#cancelTick?.();
    this.#cancelTick = null;
    for (let waiter = this.#room.oldest(); waiter !== null; waiter = this.#room.oldest()) {
      this.#room.leave(waiter);
      waiter.reject(problem('draining', 'the server takes no new work'));
    }
  }
}

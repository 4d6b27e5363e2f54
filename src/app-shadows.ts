/** Shadow overviews among the other rooms: how much they may hold, when they give it back, and who is told. */
import type { Logger } from 'pino';
import type { Admission } from './admission/controller.ts';
import type { Config } from './config/load.ts';
import { type Budget, warmsUp } from './memory/budget.ts';
import type { Memory } from './memory/memory.ts';
import type { Shadows } from './serve-shadow-types.ts';
import { createShadows } from './serve-shadows.ts';
import type { Pool } from './workers/pool.ts';

/** Of the cache's part of the budget, where the configuration does not say. */
const SHARE = 0.5;

interface ShadowInput {
  readonly config: Config;
  readonly budget: Budget;
  readonly log: Logger;
}

export function buildShadows(
  { config, budget, log }: ShadowInput,
  memory: Memory,
  admission: Admission,
  pool: Pool,
): Shadows {
  const { maxBytes, warmUp, waitMs } = config.raster.shadow;
  const shadows = createShadows({
    maxBytes: maxBytes ?? Math.floor(budget.cacheBytes * SHARE),
    ceilingBytes: budget.requestCeilingBytes,
    warmUp: warmUp ?? warmsUp(budget),
    waitMs,
    admission,
    pool,
    ledger: memory.ledger,
    level: () => memory.level(),
    roomBytes: () => memory.cacheBytes(),
    failed: (layer, err) => log.warn({ layer, err }, 'no overview can be made of this raster: its far zooms fail'),
  });
  memory.register(shadows.sheddable);
  memory.gauge.onSample(() => shadows.trim());
  memory.onLevel(level => {
    if (level === 'normal') shadows.calm();
  });
  return shadows;
}

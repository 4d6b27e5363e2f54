/** Counters and gauges whose value lives in a room. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** prom-client wants increments, so each scrape adds what is new. */
export function mirror(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Readonly<Record<string, number>>,
): void {
  const seen = new Map<string, number>();
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [key, value] of Object.entries(read())) {
        this.inc({ [label]: key }, Math.max(0, value - (seen.get(key) ?? 0)));
        seen.set(key, value);
      }
    },
  });
}

/** Makes gauges without labels, each read when it is scraped. */
export function gaugesIn(registry: Registry): (name: string, help: string, value: () => number) => Gauge {
  return (name, help, value) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
}

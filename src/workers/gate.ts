/** Lets so many through at a time, in the order in which they came. */
export interface Gate {
  through<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(most: number): Gate {
  const waiting: (() => void)[] = [];
  let within = 0;
  return {
    async through(work) {
      if (within >= most) await new Promise<void>(resolve => waiting.push(resolve));
      else within++;
      try {
        return await work();
      } finally {
        // Who waited longest takes this place over.
        const next = waiting.shift();
        if (next) next();
        else within--;
      }
    },
  };
}

/** At most `size` pieces of work at once; the rest wait their turn in order of arrival. */
export const slots = (size: number): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let free = size;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
};

/**
 * At most `most` at once, and the rest are turned away. Takes a place and answers how to give it back, any number of
 * times; null: all are taken.
 */
export const places = (most: number): (() => (() => void) | null) => {
  const taken = new Set<() => void>();
  return () => {
    if (taken.size >= most) return null;
    const giveBack = (): void => void taken.delete(giveBack);
    taken.add(giveBack);
    return giveBack;
  };
};

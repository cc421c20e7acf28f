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

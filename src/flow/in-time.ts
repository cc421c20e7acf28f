/**
 * Asks what may be away: null where no answer comes within `milliseconds`, or an error does. So many questions that are
 * late already, and nothing more is asked until one of them is answered; questions under way are no sign of anything.
 */
export const inTime = (milliseconds: number, mostLate = 8) => {
  let late = 0;
  return async <T>(ask: () => Promise<T>): Promise<T | null> => {
    if (late >= mostLate) return null;
    const answer = ask().catch(() => null);
    const { promise, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => {
      late += 1;
      void answer.then(() => (late -= 1));
      resolve(null);
    }, milliseconds);
    return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
  };
};

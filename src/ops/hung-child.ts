/** A child that is only busy answers within a minute; one that is stopped or runs in circles never does. */
const EVERY_MS = 10_000;
const MOST_SILENT = 6;

/**
 * Asks again and again, and calls `hung` once nothing was answered so often in a row: what watches over the work in the
 * child itself is of no use when its event loop stands still. Answers how to stop asking.
 */
export const watchChild = (
  ask: (timeoutMs: number) => Promise<unknown>,
  hung: () => void,
  everyMs = EVERY_MS,
): (() => void) => {
  let silent = 0;
  const look = async (): Promise<void> => {
    silent = (await ask(everyMs)) === null ? silent + 1 : 0;
    if (silent === MOST_SILENT) hung();
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
};

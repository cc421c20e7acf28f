/** So that one question stays a small one. */
const MOST = 500;
/** A question that takes longer may be lost with its connection: the next one does not wait for it. */
const PATIENCE_MS = 250;

type Waiting<Key, Answer> = { key: Key; answered: PromiseWithResolvers<Answer> };

/** Resolves when the work is over, or has lasted for so long. */
const overOr = async (milliseconds: number, work: Promise<void>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]);
  clearTimeout(timer);
};

/**
 * Gathers the keys that are asked for while a question is under way into the next one, because a round trip costs far more
 * than a key in it: alone, a key is still asked for at once. `ask` answers in the order of its keys; where it rejects, all
 * of them do.
 */
export const gathered = <Key, Answer>(
  ask: (keys: readonly Key[]) => Promise<readonly Answer[]>,
): ((key: Key) => Promise<Answer>) => {
  const waiting: Waiting<Key, Answer>[] = [];
  let asking = false;
  const answer = async (group: readonly Waiting<Key, Answer>[]): Promise<void> => {
    try {
      const answers = await ask(group.map(({ key }) => key));
      for (const [at, { answered }] of group.entries()) answered.resolve(answers[at] as Answer);
    } catch (error) {
      for (const { answered } of group) answered.reject(error);
    }
  };
  const work = async (): Promise<void> => {
    asking = true;
    while (waiting.length > 0) await overOr(PATIENCE_MS, answer(waiting.splice(0, MOST)));
    asking = false;
  };
  return (key) => {
    const answered = Promise.withResolvers<Answer>();
    waiting.push({ key, answered });
    if (!asking) void work();
    return answered.promise;
  };
};

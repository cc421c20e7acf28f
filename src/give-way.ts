import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** About a third of the share of a core that an ordinary process gets: enough to stay a member of its Kafka group. */
const STEPS_DOWN = 5;
const LOWEST = 19;

/** Each thread has a priority of its own on Linux; elsewhere 0 means the whole process. */
const threads = (): number[] => {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [0];
  }
};

/** From now on others go first where cores are short. Nothing depends on it: where the system refuses, all are equal. */
export const giveWay = (): void => {
  const nice = Math.min(LOWEST, getPriority() + STEPS_DOWN);
  for (const thread of threads()) {
    try {
      setPriority(thread, nice);
    } catch {
      // The thread has ended, or the system refuses.
    }
  }
  try {
    // Outside of control groups Linux shares cores between sessions first, by this number of the session.
    writeFileSync("/proc/self/autogroup", String(STEPS_DOWN));
  } catch {
    // Not Linux, or one without such groups.
  }
};

import { Unanswered } from "./kafka-errors.ts";

/** Rejects with Unanswered after `ms`. What was started goes on behind it: its outcome is unknown, so callers throw its client away. */
export async function withDeadline<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(message)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

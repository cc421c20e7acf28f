import type { Effects, ObjectWrite } from "./effects.ts";
import { deadLetterEvent, enqueue } from "./outbox.ts";
import type { Clock, Database, ObjectStore, OnStep, Tx } from "./ports.ts";

/** What a decision stood on has changed: nothing was done, decide again on fresh facts. */
export class StartOver extends Error {}

const PUT_CONCURRENCY = 6;

/**
 * Step 1 of the commit order: note every object in object_intents, then PUT it. Announces `<step>.noted`,
 * `<step>.put-some` (after the first object, if there is one) and `<step>.put`.
 */
export const noteAndPut = async (
  deps: { db: Database; objects: ObjectStore; clock: Clock; onStep: OnStep; step: string },
  writes: readonly ObjectWrite[],
): Promise<void> => {
  if (writes.length > 0) {
    await deps.db.query(
      `insert into object_intents (object_key, athlete_id, reason, noted_at)
       select key, athlete_id, 'writing', $3 from unnest($1::text[], $2::text[]) as t(key, athlete_id)`,
      [writes.map((w) => w.key), writes.map((w) => w.athlete_id), new Date(deps.clock.now())],
    );
  }
  await deps.onStep(`${deps.step}.noted`);
  const queue = [...writes];
  const first = queue.shift();
  if (first) {
    await deps.objects.put(first.key, first.body);
    await deps.onStep(`${deps.step}.put-some`);
  }
  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await deps.objects.put(next.key, next.body);
  };
  await Promise.all(Array.from({ length: PUT_CONCURRENCY }, drain));
  await deps.onStep(`${deps.step}.put`);
};

/** Adds events and dead letters to the outbox: part of the one transaction. */
export const enqueueEffects = async (
  tx: Tx,
  effects: Pick<Effects<unknown>, "events" | "dead_letters">,
  deadLetterTopic: string,
): Promise<void> => {
  await enqueue(tx, [
    ...effects.events,
    ...effects.dead_letters.map((letter) => deadLetterEvent(deadLetterTopic, letter)),
  ]);
};

/**
 * The objects' half of the one transaction: every object written must still find its uncondemned intent
 * (otherwise a sweeper may have deleted it: StartOver), and superseded objects are handed to the sweeper.
 */
export const settleObjects = async (
  tx: Tx,
  effects: Pick<Effects<unknown>, "objects" | "superseded">,
  clock: Clock,
): Promise<void> => {
  if (effects.objects.length > 0) {
    const used = await tx.query(
      `delete from object_intents where object_key = any($1) and condemned_at is null and reason = 'writing' returning 1`,
      [effects.objects.map((o) => o.key)],
    );
    if (used.length !== effects.objects.length) throw new StartOver("an object's intent was condemned by the sweeper");
  }
  if (effects.superseded.length > 0) {
    await tx.query(
      `insert into object_intents (object_key, athlete_id, reason, noted_at)
       select key, athlete_id, 'superseded', $3 from unnest($1::text[], $2::text[]) as t(key, athlete_id)`,
      [effects.superseded.map((o) => o.key), effects.superseded.map((o) => o.athlete_id), new Date(clock.now())],
    );
  }
};

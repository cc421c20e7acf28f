import { type DeadLetter, rowsOnly } from "../flow/effects.ts";
import { drop, ok } from "../flow/outcome.ts";
import type { Codec, Tx } from "../flow/ports.ts";
import type { Stage } from "../flow/stage.ts";
import { readErasures, readErasuresSince } from "./erasures.ts";

/** Files dead letters in their table. One that cannot be read is dropped: a dead letter of a dead letter would never end. */
export const createDeadLetterStage = (codec: Codec): Stage<DeadLetter, null, DeadLetter[]> => ({
  name: "deadletters",
  decode: async (record) => {
    if (record.value === null) return drop("empty");
    const decoded = await codec.decode(record.topic, record.value);
    return decoded.kind === "ok" ? ok(decoded.value as DeadLetter) : drop("unreadable");
  },
  read: async () => null,
  decide: (inputs) =>
    rowsOnly(
      inputs.map(({ value }) => value),
      { stored: inputs.length },
    ),
  write: async (tx, letters) => {
    for (const letter of await notErased(tx, letters)) await file(tx, letter);
  },
});

/** A letter from before an erasure stays away from the table, a replayed one too. */
const notErased = async (tx: Tx, letters: readonly DeadLetter[]): Promise<DeadLetter[]> => {
  const isErased = await readErasures(
    tx,
    letters.flatMap(({ athlete_id }) => athlete_id ?? []),
  );
  const nobodys = letters.filter(({ athlete_id }) => athlete_id === null).map((letter) => letter.first_seen_at);
  const mentionsErased = nobodys.length === 0 ? () => false : await readErasuresSince(tx, Math.min(...nobodys));
  return letters.filter(({ athlete_id, payload, first_seen_at }) =>
    athlete_id === null ? !mentionsErased(payload, first_seen_at) : !isErased(athlete_id, first_seen_at),
  );
};

const file = async (tx: Tx, letter: DeadLetter): Promise<void> => {
  await tx.query(
    `insert into dead_letters
       (id, athlete_id, reason, path, detail, content_type, payload, origin, attempts, first_seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing`,
    [
      letter.id,
      letter.athlete_id,
      letter.reason,
      letter.path,
      letter.detail,
      letter.content_type,
      Buffer.from(letter.payload),
      JSON.stringify(letter.origin),
      letter.attempts,
      new Date(letter.first_seen_at),
    ],
  );
};

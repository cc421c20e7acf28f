import { type DeadLetter, rowsOnly } from "../flow/effects.ts";
import { drop, ok } from "../flow/outcome.ts";
import type { Codec, Tx } from "../flow/ports.ts";
import type { Stage } from "../flow/stage.ts";
import { readErasures } from "./erasures.ts";

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
    const isErased = await readErasures(
      tx,
      letters.map((letter) => letter.athlete_id),
    );
    for (const letter of letters) if (!isErased(letter.athlete_id, letter.first_seen_at)) await file(tx, letter);
  },
});

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

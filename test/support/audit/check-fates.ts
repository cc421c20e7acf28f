import type { Ledger, LedgerSample } from "./ledger.ts";
import type { Letter, Receipt, Stored } from "./stored.ts";
import type { Verdict, Violation } from "./verdict.ts";

const count = (lines: readonly LedgerSample[], fate: string): number => lines.filter((l) => l.fate === fate).length;
const nameOf = (r: { athlete_id: string | null; batch_id: string | null }): string => `${r.athlete_id} ${r.batch_id}`;

/** A receipt's own arithmetic: accepted + rejected = received, counting samples only (index −1 is not one). */
const sums = (receipt: Receipt): Violation[] => {
  const refused = receipt.rejected.filter((r) => r.index >= 0).length;
  return receipt.accepted + refused === receipt.received
    ? []
    : [
        {
          kind: "fates do not add up",
          id: nameOf(receipt),
          detail: `received ${receipt.received}, accepted ${receipt.accepted}, rejected ${refused}`,
        },
      ];
};

/** What the client was told of a batch against its stored receipt. */
const againstLedger = (ledger: Ledger, receipts: Map<string, Receipt>): Violation[] => {
  const batches = Map.groupBy(ledger.samples, nameOf);
  const out: Violation[] = [];
  for (const [id, lines] of batches) {
    const told = [count(lines, "accepted") + count(lines, "rejected"), count(lines, "accepted")];
    if (lines[0]?.batch_id === null) continue;
    const receipt = receipts.get(id);
    if (!receipt) out.push({ kind: "receipt missing", id, detail: `${lines.length} samples were answered` });
    else if (receipt.received !== told[0] || receipt.accepted !== told[1]) {
      const detail = `the client was told ${told.join("/")} received/accepted, the receipt says ${receipt.received}/${receipt.accepted}`;
      out.push({ kind: "receipt differs", id, detail });
    }
  }
  return out;
};

/** Imports name their batches themselves: only their sum is known. */
const importTotals = (ledger: Ledger, stored: Stored): Violation[] => {
  const named = new Set(ledger.samples.filter((s) => s.batch_id !== null).map(nameOf));
  const others = Map.groupBy(
    stored.receipts.filter((r) => ledger.athletes.has(r.athlete_id) && !named.has(nameOf(r))),
    (r) => r.athlete_id,
  );
  const unnamed = Map.groupBy(
    ledger.samples.filter((s) => s.batch_id === null),
    (s) => s.athlete_id,
  );
  const out: Violation[] = [];
  for (const [athlete, lines] of unnamed) {
    const receipts = others.get(athlete) ?? [];
    const accepted = receipts.reduce((sum, r) => sum + r.accepted, 0);
    if (accepted !== count(lines, "accepted")) {
      const detail = `the import counted ${count(lines, "accepted")} accepted, its receipts ${accepted}`;
      out.push({ kind: "receipt differs", id: athlete, detail });
    }
  }
  return out;
};

type Place = { ids: Map<string, Set<string>>; rows: Map<string, number>; name: string };
const originOf = (l: { athlete_id: string | null; origin: { batch_id: string | null }; path: string | null }): string =>
  `${l.athlete_id} ${l.origin.batch_id} ${l.path}`;

const placeOf = (letters: readonly Letter[], name: string): Place => {
  const place: Place = { ids: new Map(), rows: new Map(), name };
  for (const letter of letters.filter((l) => l.origin.kind !== "topic")) {
    const origin = originOf(letter);
    place.ids.set(origin, (place.ids.get(origin) ?? new Set()).add(letter.id));
    place.rows.set(origin, (place.rows.get(origin) ?? 0) + 1);
  }
  return place;
};

/** Exactly one letter a rejection: one id; the log may hold it again after a retry, which is the same letter. */
const lettersOf = (refused: ReadonlySet<string>, place: Place): Violation[] => {
  const out: Violation[] = [];
  for (const id of refused) {
    const ids = place.ids.get(id)?.size ?? 0;
    if (ids === 0) out.push({ kind: "dead letter missing", id, detail: `refused, but not in the ${place.name}` });
    if (ids > 1) out.push({ kind: "dead letter doubled", id, detail: `${ids} letters in the ${place.name}` });
  }
  for (const id of place.ids.keys()) {
    if (!refused.has(id)) out.push({ kind: "dead letter without rejection", id, detail: `in the ${place.name}` });
  }
  return out;
};

const letterFrom = (value: Record<string, unknown>): Letter => value as unknown as Letter;

/** I5: one fate a sample; each rejection is exactly one dead letter, in the table and in the topic. */
export const checkFates = (ledger: Ledger, stored: Stored): Verdict => {
  const receipts = new Map(stored.receipts.map((r) => [nameOf(r), r]));
  const refused = new Set(
    stored.receipts.flatMap((r) => r.rejected.map((x) => `${r.athlete_id} ${r.batch_id} ${x.path}`)),
  );
  const told = ledger.samples
    .filter((s) => s.fate === "rejected" && s.batch_id !== null && s.path)
    .map((s) => `${s.athlete_id} ${s.batch_id} ${s.path}`);
  const inTopic = (stored.topics.get("deadletter") ?? []).flatMap((r) => (r.value ? [letterFrom(r.value)] : []));
  const receiptRecords = stored.topics.get("batches")?.length ?? 0;
  const violations = [
    ...stored.receipts.flatMap(sums),
    ...againstLedger(ledger, receipts),
    ...importTotals(ledger, stored),
    ...told
      .filter((id) => !refused.has(id))
      .map((id) => ({ kind: "rejection forgotten", id, detail: "the client was told, the receipt does not say so" })),
    ...lettersOf(refused, placeOf(stored.letters, "table")),
    ...lettersOf(refused, placeOf(inTopic, "topic")),
  ];
  return {
    invariant: "I5",
    checked: {
      receipts: stored.receipts.length,
      "receipt records": receiptRecords,
      rejections: refused.size,
      "dead letters": stored.letters.length,
      "dead letter records": inTopic.length,
    },
    violations,
  };
};

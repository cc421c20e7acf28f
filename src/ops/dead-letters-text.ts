import type { Origin } from "../flow/effects.ts";
import type { ListedLetter, StoredLetter } from "./dead-letters.ts";
import type { RetryReport, RetryResult } from "./dead-letters-retry.ts";
import { textTable } from "./text-table.ts";

const iso = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

const originText = ({ kind, batch_id, topic, topic_partition, offset }: Origin): string =>
  kind === "topic" ? `${topic}/${topic_partition} offset ${offset}` : `${kind} batch ${batch_id}`;

/** A page of letters, what there is in all, and how to go on. Holds no payload. */
export const listLines = (
  letters: readonly ListedLetter[],
  page: { counts: readonly { reason: string; n: number }[]; more: boolean },
): string[] => {
  if (letters.length === 0) return ["no dead letters"];
  const last = letters.at(-1)?.id;
  return [
    ...textTable([
      ["id", "first seen", "athlete", "reason", "path", "tries", "retried", "from"],
      ...letters.map((letter) => [
        letter.id,
        iso(letter.first_seen_at),
        letter.athlete_id ?? "-",
        letter.reason,
        letter.path ?? "",
        letter.attempts,
        letter.retried_at === null ? "-" : iso(letter.retried_at),
        originText(letter.origin),
      ]),
    ]),
    page.counts.map(({ reason, n }) => `${n.toLocaleString("en")} ${reason}`).join(", "),
    ...(page.more ? [`more: --after ${last}`] : []),
  ];
};

/** The payload as people can read it: text where it is text, hexadecimal otherwise. */
export const payloadText = (payload: Uint8Array): { encoding: "text" | "hex"; payload: string } => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    // Control characters are a sign of bytes that only happen to be UTF-8.
    // oxlint-disable-next-line no-control-regex
    if (!/[\u0000-\u0008\u000E-\u001F]/.test(text)) return { encoding: "text", payload: text };
  } catch {
    // Not UTF-8.
  }
  return { encoding: "hex", payload: Buffer.from(payload).toString("hex") };
};

export const letterLines = (letter: StoredLetter): string[] => {
  const { encoding, payload } = payloadText(letter.payload);
  return [
    `id            ${letter.id}`,
    `athlete       ${letter.athlete_id ?? "not known"}`,
    `reason        ${letter.reason}`,
    `path          ${letter.path ?? ""}`,
    `detail        ${letter.detail}`,
    `from          ${originText(letter.origin)}`,
    `first seen    ${iso(letter.first_seen_at)}`,
    `tries         ${letter.attempts}${letter.retried_at === null ? "" : `, went through ${iso(letter.retried_at)}`}`,
    `content type  ${letter.content_type}`,
    `payload       ${letter.payload.length} bytes${encoding === "hex" ? ", hexadecimal" : ""}`,
    payload,
  ];
};

const EXAMPLES = 20;

const whyOf = (result: RetryResult): string => {
  if (result.kind === "refused") return `refused again: ${result.reason} ${result.path}: ${result.detail}`;
  return result.kind === "impossible" ? `cannot be tried: ${result.why}` : "";
};

export const retryLines = ({ tried, accepted, left }: RetryReport, dryRun: boolean): string[] => [
  `${dryRun ? "would go" : "went"} through  ${accepted} of ${tried}`,
  ...left.slice(0, EXAMPLES).map((result) => `  ${result.id} ${whyOf(result)}`),
  ...(left.length > EXAMPLES ? [`  … and ${left.length - EXAMPLES} more: use --json`] : []),
];

import { setTimeout as sleep } from "node:timers/promises";
import type { Sending } from "../../../bench/generator/batches.ts";
import { linesOf, type Answer } from "../audit/client.ts";
import type { LedgerLine } from "../audit/ledger.ts";

const PATIENCE_MS = 120_000;
const AGAIN_MS = 250;

export type Client = {
  /** Sends until it is acknowledged, as a client on a bad line does. Writes down what it was told. */
  send(sending: Sending): Promise<void>;
  ledger: LedgerLine[];
  /** How often each status was answered; `0` stands for no answer at all. */
  statuses: Map<number, number>;
};

/** A client that keeps its own ledger: only what was answered 202 stands in it. */
export const createClient = (url: () => string, token: string): Client => {
  const ledger: LedgerLine[] = [];
  const statuses = new Map<number, number>();
  const post = async ({ athlete_id, body }: Sending): Promise<{ status: number; text: string }> => {
    try {
      const answer = await fetch(`${url()}/v1/athletes/${athlete_id}/batches`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: "" };
    }
  };
  const send = async (sending: Sending): Promise<void> => {
    for (const until = Date.now() + PATIENCE_MS; ; await sleep(AGAIN_MS)) {
      const { status, text } = await post(sending);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 202) {
        ledger.push(...linesOf(sending.athlete_id, sending.body, JSON.parse(text) as Answer));
        return;
      }
      if (status !== 503 && status !== 429 && status !== 0) throw new Error(`the edge answers ${status}: ${text}`);
      if (Date.now() > until) throw new Error(`not acknowledged within ${PATIENCE_MS} ms, last status ${status}`);
    }
  };
  return { send, ledger, statuses };
};

import type { Database, Tx } from "../../../src/flow/ports.ts";
import { at, TOPIC } from "./memory-log.ts";

export type Place = {
  position: number;
  epoch: number;
  fingerprint: string | null;
  cluster_id: string | null;
  attempts: number;
  crashed_offset: number | null;
};

type Journal = { writes: (() => void)[]; release: (() => void)[]; epoch: number };

/** What passes by itself. */
export class Away extends Error {}

/**
 * consumer_offsets, applied records and the outbox, transactional: writes show at the commit, and a row that a
 * transaction has changed is locked until then. Speaks only the statements of flow/positions.ts and flow/outbox.ts.
 */
export class MemoryStore {
  readonly places = new Map<number, Place>();
  readonly applied: { partition: number; offset: number; epoch: number }[] = [];
  readonly outbox: Record<string, unknown>[] = [];
  /** Positions as they were committed, in order. */
  readonly history: { partition: number; position: number; epoch: number }[] = [];
  /** Thrown by the next statement, or after the next commit has been written. */
  failNext: "statement" | "commit" | null = null;
  readonly #locks = new Map<number, Promise<void>>();

  place(partition: number): Place {
    const known = this.places.get(partition);
    if (known) return known;
    const fresh = { position: -1, epoch: 0, fingerprint: null, cluster_id: null, attempts: 0, crashed_offset: null };
    this.places.set(partition, fresh);
    return fresh;
  }

  database(): Database {
    return {
      transaction: async (work) => {
        const mine: Journal = { writes: [], release: [], epoch: 0 };
        try {
          const result = await work(this.#tx(mine));
          for (const write of mine.writes) write();
          if (this.failNext === "commit") this.#fail();
          return result;
        } finally {
          for (const release of mine.release) release();
        }
      },
      snapshot: () => Promise.reject(new Error("no snapshots here")),
      query: async <Row>(text: string, params: readonly unknown[] = []) => {
        await Promise.resolve();
        if (this.failNext === "statement") this.#fail();
        return (await this.#statement(text, params)) as Row[];
      },
      close: () => Promise.resolve(),
    };
  }

  #fail(): never {
    this.failNext = null;
    throw new Away("the connection was lost");
  }

  #tx(journal: Journal): Tx {
    const query = async <Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> => {
      await Promise.resolve();
      if (this.failNext === "statement") this.#fail();
      if (text.startsWith("apply")) {
        const [partition, offsets] = params as [number, number[]];
        const write = (offset: number) => this.applied.push({ partition, offset, epoch: journal.epoch });
        journal.writes.push(() => offsets.forEach(write));
        return [];
      }
      if (text.startsWith("insert into outbox")) {
        const rows = JSON.parse(params[0] as string) as Record<string, unknown>[];
        journal.writes.push(() => this.outbox.push(...rows));
        return [];
      }
      if (!text.includes("set position = $5")) throw new Error(`unknown statement: ${text}`);
      const [, , partition, epoch, position, fingerprint, , cluster_id, crashed_offset] = params as [
        ...[string, string, number, number, number],
        ...[string, Date, string, number | null],
      ];
      await this.#locks.get(partition);
      const place = this.place(partition);
      if (place.epoch !== epoch || place.position >= position) return [];
      const done = Promise.withResolvers<void>();
      this.#locks.set(partition, done.promise);
      journal.release.push(() => (this.#locks.delete(partition), done.resolve()));
      journal.epoch = epoch;
      journal.writes.push(() => {
        Object.assign(place, { position, fingerprint, cluster_id, crashed_offset, attempts: 0 });
        this.history.push({ partition, position, epoch });
      });
      return [{}] as Row[];
    };
    return {
      query,
      copyOut: () => Promise.reject(new Error("no COPY here")),
      copyIn: () => Promise.resolve(),
      announce: () => undefined,
    };
  }

  async #statement(text: string, params: readonly unknown[]): Promise<unknown[]> {
    if (text.startsWith("insert into consumer_offsets")) {
      const answers: unknown[] = [];
      for (const partition of params[2] as number[]) {
        await this.#locks.get(partition);
        const place = this.place(partition);
        place.epoch += 1;
        answers.push({ ...at(partition), ...place, position: place.position < 0 ? null : place.position });
      }
      return answers;
    }
    const [, topic, partition, epoch] = params as [string, string, number, number];
    if (topic !== TOPIC) return [];
    await this.#locks.get(partition);
    const place = this.place(partition);
    if (text.includes("attempts + 1")) {
      if (place.epoch !== epoch) return [];
      place.attempts += 1;
      return [{ attempts: place.attempts }];
    }
    if (!text.includes("greatest(attempts - 1, 0)")) throw new Error(`unknown statement: ${text}`);
    place.attempts = Math.max(0, place.attempts - 1);
    return [];
  }
}

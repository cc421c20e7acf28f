import type { AnchorStore, HealthStore } from "../../examples/gateway/gateway.ts";

export type Stored = { uuid: string; type: string; start: string; end: string };
type Change = { added: Stored } | { deleted: string; type: string | undefined };

/** A HealthKit of memory: changes in the order in which they were made, an anchor is a place among them. */
export const healthStore = <Sample extends Stored>() => {
  const changes: Change[] = [];
  const alive = new Map<string, Sample>();
  const store: HealthStore = {
    changes: async (type, anchor, limit) => {
      const from = Number(anchor ?? 0);
      const page = changes.slice(from, from + limit);
      const added = page.flatMap((change) => ("added" in change && change.added.type === type ? [change.added] : []));
      const deleted = page.flatMap((change) =>
        "deleted" in change && change.type === type ? [{ uuid: change.deleted }] : [],
      );
      const next = from + page.length;
      return { added, deleted, anchor: String(next), more: next < changes.length };
    },
    uuids: async (type, from, to) =>
      [...alive.values()]
        .filter((s) => s.type === type && Date.parse(s.end) >= +from && Date.parse(s.start) <= +to)
        .map(({ uuid }) => uuid),
  };
  return {
    store,
    alive,
    add(sample: Sample): void {
      alive.set(sample.uuid, sample);
      changes.push({ added: sample });
    },
    delete(uuid: string): void {
      changes.push({ deleted: uuid, type: alive.get(uuid)?.type });
      alive.delete(uuid);
    },
    /** As HealthKit does after some weeks: the sample is gone, and so is the note that it went. */
    forget: (uuid: string): boolean => alive.delete(uuid),
  };
};

/** Anchors on a disk; `crash` is asked before each write. */
export const anchorStore = (crash: () => boolean): AnchorStore & { saved: Map<string, string> } => {
  const saved = new Map<string, string>();
  return {
    saved,
    load: async (type) => saved.get(type) ?? null,
    save: async (type, anchor) => {
      if (crash()) throw new Error("killed before the anchor was written");
      saved.set(type, anchor);
    },
  };
};

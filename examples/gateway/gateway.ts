import { type Batch, persist, type Receipt, sendBatch, type SendOptions, Stopped } from "./send.ts";

/** What HKAnchoredObjectQuery answers, `limit` objects at a time. `more`: there is another page behind it. */
export type Page = {
  added: readonly { uuid: string }[];
  deleted: readonly { uuid: string }[];
  anchor: string;
  more: boolean;
};

export type HealthStore = {
  /** Null: from the beginning of everything. */
  changes(type: string, anchor: string | null, limit: number): Promise<Page>;
  /** Uuids of all samples of a type that touch the range. */
  uuids(type: string, from: Date, to: Date): Promise<string[]>;
};

/** Survives the app: a file or the key chain, written before `save` resolves. */
export type AnchorStore = {
  load(type: string): Promise<string | null>;
  save(type: string, anchor: string): Promise<void>;
};

export type GatewayOptions = SendOptions & {
  health: HealthStore;
  anchors: AnchorStore;
  timeZone: () => string;
  pageSize?: number;
  /** Told what was sent and what became of it, after the 202 and before the anchor moves. */
  onReceipt?: (batch: Batch, receipts: readonly Receipt[]) => void;
};

/**
 * Brings everything of a type since its anchor to the service. The anchor moves only after the service acknowledged the
 * whole page: a crash in between sends the page again, which changes nothing.
 */
export const syncType = async (options: GatewayOptions, type: string): Promise<void> => {
  const { health, anchors, pageSize = 1000 } = options;
  let anchor = await anchors.load(type);
  for (;;) {
    const page = await health.changes(type, anchor, pageSize);
    const batch: Batch = {
      time_zone: options.timeZone(),
      samples: page.added,
      deleted: page.deleted.map(({ uuid }) => ({ uuid, type })),
      anchor: page.anchor,
    };
    if (page.added.length + page.deleted.length > 0) {
      const receipts = await sendBatch(options, batch);
      options.onReceipt?.(batch, receipts);
    }
    await anchors.save(type, page.anchor);
    anchor = page.anchor;
    if (!page.more) return;
  }
};

/**
 * Says what there is of a type in a range, so that the service deletes the rest: HealthKit forgets its deletions after a
 * while, and all of them with the app. `as_of` is taken before HealthKit is asked: what comes meanwhile is left alone.
 * Null where HealthKit has nothing, and nothing is said: it answers so, too, where reading is no longer allowed.
 */
export const reconcile = async (
  options: GatewayOptions,
  type: string,
  range: { from: Date; to: Date },
): Promise<Receipt | null> => {
  await syncType(options, type);
  const as_of = new Date().toISOString();
  const uuids = await options.health.uuids(type, range.from, range.to);
  if (uuids.length === 0) return null;
  const body = { type, from: range.from.toISOString(), to: range.to.toISOString(), uuids, as_of };
  const { status, text } = await persist(options, "reconcile", body);
  if (status === 202) return JSON.parse(text) as Receipt;
  throw new Stopped(status, text.slice(0, 500));
};

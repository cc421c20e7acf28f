import { createRequire } from "node:module";

/** As kafkajs 2.2.4 has it. `lastRequest`: of the heartbeat; `paused`: what is assigned but not read now. */
type Group = {
  maxWaitTime: number;
  lastRequest: number;
  paused(): readonly unknown[];
  /** Of each broker's two connections the second is for fetches. */
  cluster: {
    brokerPool: {
      brokers: Record<number, { connectionPool: { pool: { rejectRequests(error: Error): void }[] } } | undefined>;
    };
  };
  fetch(nodeId: number): Promise<unknown[]>;
};

/** How long a member's fetches may wait for a record, and the way out of those under way. */
export type Patience = {
  /** While every topic partition of the member is read. */
  rest_ms: number;
  /** While one is paused. */
  busy_ms: number;
  /** kafkajs sends it between fetches, and hears of a rebalance by its answer: no fetch outlasts it. */
  heartbeat_ms: number;
  /** Ends each fetch under way as if nothing had come. */
  abandon: Set<() => void>;
};

const FETCHING = 1;
let coming: Patience | null = null;
let patched = false;

/** For the fetch that kafkajs begins next: to be called where it announces one (FETCH_START). */
export function waitWith(patience: Patience): void {
  coming = patience;
}

const waitOf = (group: Group, { rest_ms, busy_ms, heartbeat_ms }: Patience): number => {
  if (group.paused().length > 0) return busy_ms;
  return Math.max(busy_ms, Math.min(rest_ms, group.lastRequest + heartbeat_ms - Date.now()));
};

/**
 * kafkajs waits equally long in every fetch, and to its end before it leaves the group. A broker answers at once when a
 * record comes, so a member at rest may wait long; one that is to stop must not. An abandoned request has a
 * connection of its own (kafkajs' pool keeps one for fetches): leaving the group does not queue behind it.
 */
export function fetchPatiently(): void {
  if (patched) return;
  patched = true;
  const load = createRequire(import.meta.url);
  const { prototype } = load("kafkajs/src/consumer/consumerGroup.js") as { prototype: Group };
  // It is called with each group as `this`.
  // oxlint-disable-next-line typescript/unbound-method
  const fetch = prototype.fetch;
  prototype.fetch = function patiently(this: Group, nodeId: number) {
    const patience = coming;
    coming = null;
    if (!patience) return fetch.call(this, nodeId);
    this.maxWaitTime = waitOf(this, patience);
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
    const abandon = (): void => {
      resolve([]);
      // Else it would be waited for before the connection is closed.
      const pool = this.cluster.brokerPool.brokers[nodeId]?.connectionPool.pool;
      pool?.[FETCHING]?.rejectRequests(new Error("the member has stopped"));
    };
    patience.abandon.add(abandon);
    void fetch
      .call(this, nodeId)
      .then(resolve, reject)
      .finally(() => patience.abandon.delete(abandon));
    return promise;
  };
}

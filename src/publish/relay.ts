import { alarmClock } from "./alarm.ts";
import { holdLeases, releaseLeases } from "./leases.ts";
import { openLane, type Lane, type RelayDeps, type Turn } from "./lane.ts";
import { lanesWithRows } from "./rows.ts";

export type Relay = {
  /** Sends until the signal, then gives its leases back. Outages only slow it down. */
  run(signal: AbortSignal): Promise<void>;
  /** Sends until the lanes that this relay may hold are empty or cannot be sent now; answers the turns that worked. */
  drainOnce(): Promise<number>;
  /** There may be something to send: do not wait for the next poll. */
  wake(): void;
  /** Gives back the leases and closes every producer. */
  close(): Promise<void>;
};

const LEASE_MS = 10_000;
/** Leases are renewed so often within one; also how long a relay rests that is told of news. */
const RENEWALS = 4;
const POLL_MS = 250;
const OUTAGE_MS = 1000;

type HeldLanes = {
  /** Renews leases when it is time, and opens and closes lanes accordingly. */
  hold(): Promise<void>;
  shards(): number[];
  turn(shard: number): Promise<Turn>;
  close(): Promise<void>;
};

const heldLanes = (deps: RelayDeps): HeldLanes => {
  const leaseMs = deps.leaseMs ?? LEASE_MS;
  const lanes = new Map<number, Lane>();
  let heldAt = Number.NEGATIVE_INFINITY;
  const drop = async (shard: number): Promise<void> => {
    const lane = lanes.get(shard);
    lanes.delete(shard);
    await lane?.close();
  };
  return {
    async hold() {
      const now = deps.clock.now();
      if (now - heldAt < leaseMs / RENEWALS && now >= heldAt) return;
      const held = await holdLeases(deps.db, deps.owner, leaseMs);
      heldAt = now;
      for (const shard of lanes.keys()) if (!held.includes(shard)) await drop(shard);
      for (const shard of held) if (!lanes.has(shard)) lanes.set(shard, openLane(deps, shard));
      await deps.onStep("relay.claimed");
    },
    shards: () => [...lanes.keys()],
    async turn(shard) {
      const turn = (await lanes.get(shard)?.turn()) ?? "idle";
      if (turn === "fenced") {
        await drop(shard);
        await releaseLeases(deps.db, deps.owner, [shard]);
      }
      return turn;
    },
    async close() {
      const shards = [...lanes.keys()];
      await Promise.all(shards.map(drop));
      heldAt = Number.NEGATIVE_INFINITY;
      await releaseLeases(deps.db, deps.owner, shards);
    },
  };
};

/** Lanes that have something to send and could not are tried again soon. */
const restOf = ({ heard, pollMs = POLL_MS, leaseMs = LEASE_MS }: RelayDeps, turns: readonly Turn[]): number =>
  turns.length === 0 && heard?.() ? leaseMs / RENEWALS : pollMs;

/**
 * The outbox relay: holds leases on a fair share of the shards and sends their rows. A lease only keeps relays out of
 * each other's way; what makes two of them harmless is the broker's fence (lane.ts).
 */
export const createRelay = (deps: RelayDeps): Relay => {
  const lanes = heldLanes(deps);
  const alarm = alarmClock();
  const round = async (): Promise<Turn[]> => {
    await lanes.hold();
    const due = await lanesWithRows(deps.db, lanes.shards());
    return Promise.all(due.map((shard) => lanes.turn(shard)));
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const turns = await round();
        if (!turns.includes("worked")) await alarm.sleep(restOf(deps, turns), signal);
      } catch (error) {
        // Postgres is away: nothing was decided, try again.
        deps.telemetry.warn("relay.outage", { error, next_try_ms: OUTAGE_MS });
        await alarm.sleep(OUTAGE_MS, signal);
      }
    }
    await lanes.close().catch((error: unknown) => deps.telemetry.warn("relay.close_failed", { error }));
  };
  const drainOnce = async (): Promise<number> => {
    let worked = 0;
    for (;;) {
      const turns = await round();
      const now = turns.filter((turn) => turn === "worked").length;
      if (now === 0) return worked;
      worked += now;
    }
  };
  return { run, drainOnce, wake: alarm.wake, close: () => lanes.close() };
};

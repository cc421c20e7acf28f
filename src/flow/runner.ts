import type { ApplyDeps } from "./apply.ts";
import { openLanes, reconsider } from "./assignment.ts";
import { applySome } from "./caution.ts";
import type { Lane } from "./lanes.ts";
import { fetchFrom, judge, laneKey } from "./lanes.ts";
import type { FetchedBatch, GroupConsumer, LogInfo, RawRecord, Telemetry, TopicPartition } from "./ports.ts";
import { Fenced, Refusal, forgiveAttempt, wayOut } from "./positions.ts";
import { backOff, pause } from "./retry.ts";
import type { AnyStage } from "./stage.ts";
import { LOOK_MS, excuse, stalled } from "./watchdog.ts";

export type RunnerDeps = ApplyDeps & {
  consumer: GroupConsumer;
  log: LogInfo;
  stages: ReadonlyMap<string, AnyStage>;
  /** Limits how many lanes of a kind work at once, so that a backfill never takes live data's share. */
  slot: (topic: string) => <T>(work: () => Promise<T>) => Promise<T>;
  telemetry: Telemetry;
  isTransient: (error: unknown) => boolean;
  /** Called once: a Refusal, a stall, or a bug. The process should end without committing anything more. */
  fatal: (error: Error) => void;
};

const LAG_EVERY_MS = 10_000;
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * Runs stages over the log's topic partitions: the consumer recipe of architecture §2. Work is handed off outside the
 * client's loop; a batch counts only when it came from where it was asked for; a lost owner's commit changes nothing.
 */
export class Runner {
  readonly #deps: RunnerDeps;
  readonly #lanes = new Map<string, Lane>();
  readonly #pending = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #generation = 0;
  #fetchedAt = 0;
  #lagAt = 0;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#fetchedAt = this.#lagAt = this.#lookedAt = this.#deps.clock.now();
    await this.#deps.consumer.start({
      assigned: (partitions) => this.#assigned(partitions),
      batch: (batch) => this.#batch(batch),
      suspect: (partition) => this.#suspectAll(partition),
      fetched: () => {
        this.#fetchedAt = this.#deps.clock.now();
      },
      crashed: (error) => this.#fatal(error),
    });
    this.#timer = setInterval(() => this.#watch(), LOOK_MS);
  }

  /** Finishes the batches under way, then leaves the group. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#ending.abort();
    await Promise.allSettled(this.#pending);
    await this.#deps.consumer.stop();
  }

  #fatal(error: Error): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    clearInterval(this.#timer);
    this.#deps.fatal(error);
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#fatal(asError(error)))
      .finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  #assigned(partitions: TopicPartition[]): void {
    this.#generation += 1;
    const keys = new Set(partitions.map(laneKey));
    for (const [key, lane] of this.#lanes) {
      lane.revoked = !keys.has(key);
      if (lane.state === "busy") {
        // Handed over alive: many moves during one long batch are no deaths.
        if (lane.revoked) this.#track(this.#forgive(lane));
        continue;
      }
      this.#release(lane);
    }
    this.#deps.telemetry.info("assigned", { group: this.#deps.group, topic_partitions: partitions.length });
    this.#track(this.#open(partitions.filter((p) => !this.#lanes.has(laneKey(p)))));
  }

  /** Takes a counted try back: this process lived to see its end, so the record did not kill it. */
  async #forgive(lane: Lane): Promise<void> {
    if (!lane.owes) return;
    lane.owes = false;
    await this.#persist("try_not_taken_back", () => forgiveAttempt(this.#deps.db, this.#deps.group, lane));
  }

  /** Until it succeeds, or the assignment moved on. */
  async #open(partitions: readonly TopicPartition[]): Promise<void> {
    const mine = this.#generation;
    await this.#persist("positions_unavailable", async () => {
      if (mine !== this.#generation) return;
      const opened = await openLanes(this.#deps, partitions);
      if (mine !== this.#generation) return;
      for (const lane of opened) {
        this.#lanes.set(laneKey(lane), lane);
        this.#ready(lane);
      }
    });
  }

  /** Tries until it succeeds or this runner ends; a cause that will not pass is thrown. */
  async #persist(event: string, work: () => Promise<void>): Promise<void> {
    for (let attempt = 0; !this.#ending.signal.aborted; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!this.#deps.isTransient(error)) throw error;
        this.#deps.telemetry.warn(event, { group: this.#deps.group, error: String(error) });
        await pause(backOff(attempt, Math.random()), this.#ending.signal);
      }
    }
  }

  #ready(lane: Lane): void {
    if (this.#ending.signal.aborted) return;
    lane.state = "open";
    lane.busy_since = null;
    this.#deps.consumer.seek(lane, fetchFrom(lane));
    this.#deps.consumer.resume([lane]);
  }

  #batch(fetched: FetchedBatch): void {
    const lane = this.#lanes.get(laneKey(fetched));
    if (!lane || lane.state !== "open" || this.#ending.signal.aborted) return;
    this.#deps.consumer.pause([lane]);
    this.#lagging(lane, fetched.high_watermark);
    const judgement = judge(lane, fetched);
    if (judgement.kind === "work") this.#take(lane, () => this.#work(lane, judgement.records));
    else if (judgement.kind === "suspect") this.#take(lane, () => this.#suspect(lane));
    else if (judgement.kind === "refuse") this.#fatal(new Refusal(`${judgement.reason}; ${wayOut}`));
    else {
      lane.tailing = judgement.kind === "tail";
      lane.proven = judgement.kind === "proven";
      this.#ready(lane);
    }
  }

  /** Time without progress counts from the first record that waits. */
  #lagging(lane: Lane, high: number): void {
    const lag = Math.max(0, high - lane.position);
    if (lane.lag === 0 && lag > 0) lane.progressed_at = this.#deps.clock.now();
    lane.lag = lag;
  }

  #take(lane: Lane, job: () => Promise<void>): void {
    lane.state = "busy";
    this.#track(job());
  }

  async #work(lane: Lane, records: RawRecord[]): Promise<void> {
    const high = lane.position + lane.lag;
    try {
      await this.#deps.slot(lane.topic)(() => this.#apply(lane, records));
    } catch (error) {
      if (!(error instanceof Fenced) && !this.#deps.isTransient(error)) throw error;
      await this.#reopen(lane, error);
      return;
    }
    lane.lag = Math.max(0, high - lane.position);
    lane.tailing = lane.lag === 0;
    lane.proven = false;
    this.#release(lane);
  }

  async #apply(lane: Lane, records: RawRecord[]): Promise<void> {
    const { clock, consumer, onStep, stages } = this.#deps;
    const stage = stages.get(lane.topic);
    if (!stage) throw new Error(`no stage for topic ${lane.topic}`);
    let rest = records;
    while (rest.length > 0 && !this.#ending.signal.aborted) {
      const started = clock.now();
      const from = lane.position;
      lane.busy_since = started;
      const done = await applySome(this.#deps, stage, lane, rest);
      rest = done.rest;
      lane.progressed_at = clock.now();
      this.#report(stage.name, lane, { from, started, tally: done.applied.tally });
      consumer.commit(lane, lane.position);
      await onStep(`${stage.name}.offset`);
    }
  }

  /** A failed commit may have been written all the same: the stored position is the truth, so it is read again. */
  async #reopen(lane: Lane, error: unknown): Promise<void> {
    this.#lanes.delete(laneKey(lane));
    const mine = this.#generation;
    const { topic, topic_partition } = lane;
    this.#deps.telemetry.warn("batch_not_applied", { topic, topic_partition, error: String(error) });
    await this.#forgive(lane);
    await pause(backOff(2, Math.random()), this.#ending.signal);
    // An assignment meanwhile has opened it again, or given it to another member.
    if (!lane.revoked && mine === this.#generation) await this.#open([lane]);
  }

  #release(lane: Lane): void {
    if (lane.revoked) this.#lanes.delete(laneKey(lane));
    else this.#ready(lane);
  }

  async #suspect(lane: Lane): Promise<void> {
    const { topic, topic_partition, position } = lane;
    this.#deps.telemetry.warn("suspect_batch", { topic, topic_partition, position });
    await this.#persist("bounds_unavailable", () => reconsider(this.#deps, lane));
    this.#release(lane);
  }

  #suspectAll(partition: TopicPartition | null): void {
    for (const lane of this.#lanes.values()) {
      if (lane.state !== "open" || (partition && laneKey(partition) !== laneKey(lane))) continue;
      this.#deps.consumer.pause([lane]);
      this.#take(lane, () => this.#suspect(lane));
    }
  }

  #report(stage: string, lane: Lane, done: { from: number; started: number; tally: Record<string, number> }): void {
    const { clock, telemetry } = this.#deps;
    const ms = clock.now() - done.started;
    for (const [fate, n] of Object.entries(done.tally)) telemetry.count("records", { stage, fate }, n);
    telemetry.time("commit_ms", { stage }, ms);
    const { topic, topic_partition, position: to } = lane;
    telemetry.info("applied", { stage, topic, topic_partition, from: done.from, to, ms, tally: done.tally });
  }

  #watch(): void {
    const now = this.#deps.clock.now();
    this.#fetchedAt += excuse({ now, looked_at: this.#lookedAt, lanes: this.#lanes.values() });
    this.#lookedAt = now;
    const reason = stalled({ now, fetched_at: this.#fetchedAt, lanes: this.#lanes.values() });
    if (reason !== null) return this.#fatal(new Error(`stalled: ${reason}`));
    if (now - this.#lagAt < LAG_EVERY_MS) return;
    this.#lagAt = now;
    this.#track(this.#measureLag());
  }

  /** What the client may hide: records waiting, or removed, while it fetches nothing. */
  async #measureLag(): Promise<void> {
    const ask = async (topic: string): Promise<void> => {
      const bounds = await this.#deps.log.bounds(topic).catch(() => new Map<number, { low: number; high: number }>());
      for (const lane of this.#lanes.values()) {
        const range = lane.topic === topic ? bounds.get(lane.topic_partition) : undefined;
        if (!range || lane.state !== "open") continue;
        this.#lagging(lane, range.high);
        if (lane.position < range.low || lane.position > range.high) this.#suspectAll(lane);
      }
    };
    await Promise.all([...this.#deps.stages.keys()].map(ask));
  }
}

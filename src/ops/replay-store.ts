import { randomBytes } from "node:crypto";
import type { Instant } from "../domain/sample.ts";
import type { Database, Tx } from "../flow/ports.ts";
import type { Asked, Range } from "./replay-plan.ts";

export type ReplayState = "running" | "paused" | "cancelled" | "done";
export type Selection = Pick<Asked, "athletes" | "metrics">;

export type Replay = {
  replay_id: string;
  state: ReplayState;
  selection: Selection;
  rate: number | null;
  tally: Record<string, number>;
  owner: string | null;
  seen_at: Instant;
  created_at: Instant;
  finished_at: Instant | null;
};

/** A range with where the replay is in it. */
export type Place = Range & { position: number };
export type ReplayProgress = Replay & { done: number; total: number };

/** Without a sign of life for so long, a running replay has no process any more. */
export const LIFELESS_MS = 10_000;

/** Positions of a replay: a second reader of staging's topics, never staging's own. */
export const replayGroup = (id: string): string => `staging@replay-${id}`;

/** There is no such replay, or its state forbids what was asked for. */
export class ReplayRefused extends Error {}

const COLUMNS = "replay_id, state, selection, rate, tally, owner, seen_at, created_at, finished_at";

/** Notes what is to be read, with the positions at the beginning of each range. Answers the id. */
export const createReplay = async (
  db: Database,
  replay: { selection: Selection; ranges: readonly Range[]; rate: number | null },
  at: { now: Instant; cluster_id: string },
): Promise<string> => {
  const id = randomBytes(4).toString("hex");
  const { ranges } = replay;
  const columns = [
    ranges.map((range) => range.topic),
    ranges.map((range) => range.topic_partition),
    ranges.map((range) => range.from),
  ];
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into replays (replay_id, state, selection, rate, seen_at, created_at)
       values ($1, 'paused', $2, $3, $4, $4)`,
      [id, JSON.stringify(replay.selection), replay.rate, new Date(at.now)],
    );
    await tx.query(
      `insert into replay_ranges (replay_id, topic, topic_partition, from_offset, to_offset)
       select $1, t, p, f, e from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) as r(t, p, f, e)`,
      [id, ...columns, ranges.map((range) => range.to)],
    );
    await tx.query(
      `insert into consumer_offsets (group_id, topic, topic_partition, position, cluster_id)
       select $1, t, p, f, $5 from unnest($2::text[], $3::int[], $4::bigint[]) as r(t, p, f)`,
      [replayGroup(id), ...columns, at.cluster_id],
    );
  });
  return id;
};

export const readReplay = async (db: Pick<Tx, "query">, id: string, lock = false): Promise<Replay> => {
  const [row] = await db.query<Replay>(
    `select ${COLUMNS} from replays where replay_id = $1 ${lock ? "for update" : ""}`,
    [id],
  );
  if (!row) throw new ReplayRefused(`there is no replay ${id}: \`health-sync replay list\` shows those there are`);
  return row;
};

export const readPlaces = async (db: Database, id: string): Promise<Place[]> =>
  db.query<Place>(
    `select r.topic, r.topic_partition, r.from_offset as "from", r.to_offset as "to",
       coalesce(o.position, case when p.state = 'done' then r.to_offset else r.from_offset end) as position
     from replay_ranges r join replays p using (replay_id)
     left join consumer_offsets o on o.group_id = $2 and o.topic = r.topic and o.topic_partition = r.topic_partition
     where replay_id = $1 order by r.topic, r.topic_partition`,
    [id, replayGroup(id)],
  );

/** Newest first, with how far each is. */
export const listReplays = async (db: Database): Promise<ReplayProgress[]> =>
  db.query<ReplayProgress>(
    `select ${COLUMNS}, coalesce(d.total, 0) as total,
       case when state = 'done' then coalesce(d.total, 0) else coalesce(d.done, 0) end as done
     from replays p left join lateral (
       select sum(r.to_offset - r.from_offset) as total,
         sum(coalesce(o.position, r.from_offset) - r.from_offset) as done
       from replay_ranges r left join consumer_offsets o on o.group_id = 'staging@replay-' || p.replay_id
         and o.topic = r.topic and o.topic_partition = r.topic_partition
       where r.replay_id = p.replay_id
     ) d on true order by created_at desc, replay_id`,
  );

/** Makes this process the one that runs it. Throws where it has ended, or another process lives on it. */
export const claimReplay = async (db: Database, id: string, owner: string, now: Instant): Promise<Replay> =>
  db.transaction(async (tx) => {
    const replay = await readReplay(tx, id, true);
    if (replay.state === "done" || replay.state === "cancelled") {
      throw new ReplayRefused(`replay ${id} is ${replay.state}: start another one with \`health-sync replay\``);
    }
    if (replay.state === "running" && now - replay.seen_at < LIFELESS_MS) {
      throw new ReplayRefused(`replay ${id} is running in another process (${replay.owner}): pause it there first`);
    }
    await tx.query(`update replays set state = 'running', owner = $2, seen_at = $3 where replay_id = $1`, [
      id,
      owner,
      new Date(now),
    ]);
    return { ...replay, state: "running", owner };
  });

/** A sign of life; answers the state as others may have set it, or null when another process has taken over. */
export const keepAlive = async (
  db: Database,
  id: string,
  mine: { owner: string; tally: Record<string, number>; now: Instant },
): Promise<ReplayState | null> => {
  const [row] = await db.query<{ state: ReplayState }>(
    `update replays set seen_at = $3, tally = $4 where replay_id = $1 and owner = $2 returning state`,
    [id, mine.owner, new Date(mine.now), JSON.stringify(mine.tally)],
  );
  return row?.state ?? null;
};

const FROM: Record<Exclude<ReplayState, "running">, readonly ReplayState[]> = {
  paused: ["running", "paused"],
  cancelled: ["running", "paused", "cancelled"],
  done: ["running"],
};

/**
 * Ends or pauses it; the process that runs it looks every second. The positions of one that has ended go with its
 * process: they are of no use, and would count as lag. Throws where its state forbids it.
 */
export const setState = async (
  db: Database,
  id: string,
  state: Exclude<ReplayState, "running">,
  now: Instant,
): Promise<void> =>
  db.transaction(async (tx) => {
    const replay = await readReplay(tx, id, true);
    if (!FROM[state].includes(replay.state))
      throw new ReplayRefused(`replay ${id} is ${replay.state}, not running or paused`);
    const ended = state !== "paused";
    await tx.query(`update replays set state = $2, finished_at = $3 where replay_id = $1`, [
      id,
      state,
      ended ? new Date(now) : null,
    ]);
    const alive = replay.state === "running" && now - replay.seen_at < LIFELESS_MS;
    if (state === "done" || (state === "cancelled" && !alive)) await forgetPositions(tx, id);
  });

/** Called by the process that ran it, once it applies nothing more. */
export const forgetPositions = async (db: Pick<Tx, "query">, id: string): Promise<void> => {
  await db.query(`delete from consumer_offsets where group_id = $1`, [replayGroup(id)]);
};

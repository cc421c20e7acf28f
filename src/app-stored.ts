import { conflictOf } from "./domain/copies.ts";
import { DAY } from "./domain/local-day.ts";
import type { Sample } from "./domain/sample.ts";
import type { ReconcileDeps } from "./ingest/reconcile-route.ts";
import type { StoredSample } from "./ingest/reconcile.ts";
import { readSeries, type ReadDeps } from "./query/read.ts";

/** As much as is held in memory at once. */
const PIECE = 31 * DAY;

/** A renamed copy (D6) is known to its client by the id that it was sent under. */
const asSent = (sample: Sample): StoredSample => ({
  uuid: sample.attributes.synthetic === true ? null : (conflictOf(sample) ?? sample.sample_id),
  start_at: sample.start_at,
  end_at: sample.end_at,
  received_at: sample.received_at,
});

/** What reconcile compares with, read as queries read it: staging and closed days as one. */
export const storedSamples = (deps: ReadDeps): ReconcileDeps["stored"] =>
  async function* ({ athlete_id, metric, from, to }) {
    for (let at = from; at < to; at += PIECE) {
      const end = Math.min(to, at + PIECE);
      const { live } = await readSeries(deps, { athlete_id, metric, from: at, to: end });
      yield live.filter(({ start_at }) => start_at >= at).map(asSent);
    }
  };

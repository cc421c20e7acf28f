import { expect, test } from "vitest";
import { explainNight } from "../../src/domain/explain/night.ts";
import { keyOf, night, only, rows, sessions } from "./sleep/night.ts";

const watch = night("watch", "2026-03-10T22:00:00Z", [
  ["core", 120],
  ["rem", 110],
]);
const app = night("app", "2026-03-10T22:30:00Z", [["asleep", 200]]);
const bed = rows("phone", [["inBed", "2026-03-10T21:45:00Z", "2026-03-11T02:00:00Z"]]);

test("a night among several sources says who won, why, and who gave way", () => {
  const [main, loser] = sessions([...watch, ...app, ...bed]);
  if (main === undefined || loser === undefined) throw new Error("two sessions");
  const won = explainNight(main, [loser]);
  expect(won).toMatchObject({
    start_at: "2026-03-10T21:45:00.000Z",
    method: "sleep_session/1",
    winner: { source_key: keyOf("watch"), decided_by: "a", why: "the chosen source tells sleep stages" },
    in_bed_sources: [keyOf("phone")],
    instead_of: [{ session_id: loser.session_id }],
    superseded_by: null,
  });
  expect(won.sources.used).toEqual([{ source_key: keyOf("watch"), samples: 2 }]);
  expect(explainNight(loser, [main])).toMatchObject({ instead_of: [], superseded_by: { source: keyOf("watch") } });
});

test("a source alone, and a night in bed only, say so", () => {
  expect(explainNight(only(watch), []).winner).toEqual({
    source_key: keyOf("watch"),
    decided_by: null,
    why: "no other source tells of these hours",
  });
  const inBed = explainNight(only(bed), []);
  expect(inBed.winner).toMatchObject({ source_key: "pooled", why: expect.stringContaining("time in bed") });
  expect(inBed.in_bed_sources).toEqual([keyOf("phone")]);
});

test("a session of which nothing was noted still says whose it is", () => {
  const bare = { ...only(watch), provenance: {} };
  expect(explainNight(bare, [])).toMatchObject({ winner: { source_key: keyOf("watch") }, in_bed_sources: [] });
});

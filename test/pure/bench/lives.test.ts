import { describe, expect, test } from "vitest";
import { restartsIn } from "../../../bench/heard.ts";
import { countOverLives, usageOver } from "../../../bench/lives.ts";

const line = (fields: Record<string, unknown>): string => JSON.stringify({ level: 40, ...fields });

describe("what a benchmark keeps of its service's parts", () => {
  test("a restart is told with its reason, the part's last lines and what V8 printed, without what every batch says", () => {
    const restarts = restartsIn();
    const hung = line({ role: "serve", event: "worker.hung", part: "worker-background" });
    for (let n = 0; n < 20; n += 1) restarts.hear(line({ role: "worker-background", event: "retry", n }));
    restarts.hear(line({ role: "worker-background", event: "applied" }));
    restarts.hear(line({ role: "worker-live", event: "another" }));
    restarts.hear("FATAL ERROR: Reached heap limit");
    restarts.hear(hung);
    restarts.hear(
      line({ role: "serve", event: "worker.restarting", part: "worker-background", reason: "signal SIGKILL" }),
    );
    const last = [15, 16, 17, 18, 19].map((n) => line({ role: "worker-background", event: "retry", n }));
    expect(restarts.found()).toEqual([
      {
        part: "worker-background",
        reason: "signal SIGKILL",
        lines: [...last, hung, "FATAL ERROR: Reached heap limit"],
      },
    ]);
  });

  test("a service whose parts lived on has no restarts, whatever it said", () => {
    const restarts = restartsIn();
    for (const said of ["", "{", "plain", "null", line({ event: "worker.started", part: "worker-live" })])
      restarts.hear(said);
    expect(restarts.found()).toEqual([]);
  });

  test("CPU of all lives counts, and the highest memory of any", () => {
    const lives = [
      { cpu_s: 4, peak_mb: 700 },
      { cpu_s: 1, peak_mb: 300 },
    ];
    expect(usageOver(lives)).toEqual({ cpu_s: 5, peak_mb: 700 });
  });

  test("a counter that begins again goes on from what it had counted", () => {
    const counts = countOverLives();
    for (const value of [3, 10, 10, 2, 5, 1]) counts.see("jobs{part=a}", value);
    counts.see("jobs{part=b}", 7);
    expect(counts.sum((series) => series.startsWith("jobs"))).toBe(10 + 5 + 1 + 7);
    expect(counts.sum((series) => series.includes("part=b"))).toBe(7);
  });
});

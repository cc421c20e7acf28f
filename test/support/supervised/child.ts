import { appendFileSync } from "node:fs";
import { createTelemetry } from "../../../src/io/telemetry.ts";
import { linkToParent } from "../../../src/ops/supervisor-child.ts";

/** A child to supervise: writes its pid to the file given, then does what its mode says. */
const [mode, file = ""] = process.argv.slice(2);
appendFileSync(file, `${process.pid}\n`);

const telemetry = createTelemetry({ level: "silent", role: "worker" });
const beat = setInterval(() => undefined, 1000);
const leave = (code: number): void => {
  clearInterval(beat);
  link.close();
  process.exitCode = code;
};
const link = linkToParent({
  figures: () => telemetry.figures(),
  orphaned: () => {
    appendFileSync(file, "orphaned\n");
    leave(0);
  },
});

if (mode === "refuse") {
  await link.note("topic/3: records 5 to 9 were removed; use `health-sync positions set`");
  leave(78);
} else if (mode === "crash") {
  process.stderr.write("TypeError: a bug\n");
  leave(1);
} else if (mode === "deaf") {
  process.on("SIGTERM", () => undefined);
  link.ready();
} else if (mode === "hang") {
  link.ready();
  process.kill(process.pid, "SIGSTOP");
} else {
  telemetry.count("records", { stage: "staging", fate: "inserted" }, 4);
  process.once("SIGTERM", () => {
    appendFileSync(file, "drained\n");
    leave(0);
  });
  link.ready();
}

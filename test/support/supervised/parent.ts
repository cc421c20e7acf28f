import { fileURLToPath } from "node:url";
import { createTelemetry } from "../../../src/io/telemetry.ts";
import { supervise } from "../../../src/ops/supervisor.ts";

/** A parent that will be killed: its child must notice. */
supervise({
  clock: { now: () => Date.now() },
  name: "worker",
  flag: "live",
  telemetry: createTelemetry({ level: "silent", role: "edge" }),
  argv: [fileURLToPath(new URL("child.ts", import.meta.url)), "run", process.argv[2] ?? ""],
  env: process.env,
});

import { writeFileSync } from "node:fs";
import { metricsTable } from "./metrics-table.ts";

writeFileSync(new URL("../../docs/metrics.md", import.meta.url), metricsTable());

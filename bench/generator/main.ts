import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { sendings } from "./batches.ts";
import { writeExport } from "./export-xml.ts";

const USAGE = `node bench/generator/main.ts --xml FILE (--mb N | --days N) [--seed 1] [--first 2025-06-01] [--lean]
node bench/generator/main.ts --batches FILE [--athletes 3] [--days 14] [--seed 1] [--first 2026-10-20] [--size 200]

Seeded Watch and iPhone data after healthkit.md §8: an export.xml of about N MB (--lean: heart rate and steps only), or
native batches as one JSON object a line, each with the athlete it is for ({"athlete_id", "body"}).`;

const { values } = parseArgs({
  options: {
    xml: { type: "string" },
    batches: { type: "string" },
    mb: { type: "string" },
    days: { type: "string" },
    athletes: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    first: { type: "string" },
    size: { type: "string", default: "200" },
    lean: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const whole = (name: string, text: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new Error(`--${name} ${text}: a whole number is needed`);
  return n;
};

const main = async (): Promise<number> => {
  const seed = whole("seed", values.seed);
  const began = performance.now();
  if (values.xml !== undefined) {
    const limits = {
      ...(values.mb === undefined ? {} : { bytes: whole("mb", values.mb) * 1_000_000 }),
      ...(values.days === undefined ? {} : { days: whole("days", values.days) }),
    };
    if (Object.keys(limits).length === 0) throw new Error("--xml needs --mb or --days");
    const options = { seed, firstDate: values.first ?? "2025-06-01", sprinkle: !values.lean, ...limits };
    const done = writeExport(values.xml, options);
    process.stderr.write(
      `${done.records} records, ${done.days} days, ${done.bytes} bytes in ${Math.round(performance.now() - began)} ms; time zone ${done.home}\n`,
    );
    return 0;
  }
  if (values.batches !== undefined) {
    const out = createWriteStream(values.batches);
    const days = whole("days", values.days ?? "14");
    const athletes = whole("athletes", values.athletes);
    const list = sendings({
      seed,
      athletes,
      days,
      firstDate: values.first ?? "2026-10-20",
      size: whole("size", values.size),
    });
    for (const sending of list) if (!out.write(`${JSON.stringify(sending)}\n`)) await once(out, "drain");
    out.end();
    await once(out, "finish");
    process.stderr.write(`${list.length} batches, seed ${seed}\n`);
    return 0;
  }
  process.stderr.write(`${USAGE}\n`);
  return values.help ? 0 : 2;
};

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`generator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

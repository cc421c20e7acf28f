import { expect, test } from "vitest";
import { DAY, HOUR } from "../../../src/domain/local-day.ts";
import { parquetFormat } from "../../../src/io/parquet.ts";
import { acceptedFormat, type Format, seriesWriter } from "../../../src/query/formats.ts";
import { nextSlice } from "../../../src/query/pieces.ts";
import { createStreams } from "../../../src/query/samples-stream.ts";

test.each([
  ["text/csv", "csv"],
  ["application/x-ndjson, application/json;q=0.5", "ndjson"],
  ["application/json;q=0.1, application/vnd.apache.parquet;q=0.9", "parquet"],
  ["TEXT/CSV; header=present", "csv"],
  ["text/csv;q=0, application/json", "json"],
  ["text/html, */*", null],
  [undefined, null],
] as const)("Accept: %s means %s", (accept, format) => {
  expect(acceptedFormat(accept)).toBe(format);
});

const series = { head: { metric: "weight", unit: "kg" }, columns: ["start_at", "value", "source"] };
const POINTS = [
  ["2026-03-10T08:00:00.000Z", 70.5, 'Ada\'s "scale", old'],
  ["2026-03-11T08:00:00.000Z", 71, "scale"],
];

const written = (format: Format, pieces: unknown[][][]): string => {
  const writer = seriesWriter(format, series, parquetFormat);
  const parts = [writer.start(), ...pieces.map((some) => writer.points(some)), writer.end()];
  return Buffer.concat(parts).toString("utf8");
};

test("pieces are one document, however they are cut", () => {
  const [first, second] = POINTS as [unknown[], unknown[]];
  for (const format of ["json", "ndjson", "csv"] as const) {
    expect(written(format, [[first], [second]]), format).toBe(written(format, [POINTS]));
  }
  expect(JSON.parse(written("json", [POINTS]))).toEqual({
    ...series.head,
    columns: series.columns,
    points: POINTS,
    next: null,
  });
  expect(written("csv", [[first]])).toBe(
    'start_at,value,source\r\n2026-03-10T08:00:00.000Z,70.5,"Ada\'s ""scale"", old"\r\n',
  );
  expect(JSON.parse(written("ndjson", [[second]]))).toEqual({
    start_at: "2026-03-11T08:00:00.000Z",
    value: 71,
    source: "scale",
  });
});

test("of nothing there is a document all the same", () => {
  expect(JSON.parse(written("json", []))).toMatchObject({ points: [], next: null });
  expect(written("csv", [])).toBe("start_at,value,source\r\n");
  expect(written("ndjson", [])).toBe("");
  expect(written("parquet", [])).toMatch(/^PAR1.*PAR1$/s);
});

test("the first slice is a day, later ones are as long as their samples are few, within bounds", () => {
  expect(nextSlice(null)).toBe(DAY);
  expect(nextSlice({ length: DAY, samples: 0 })).toBe(4 * DAY);
  expect(nextSlice({ length: 16 * DAY, samples: 10 })).toBe(28 * DAY);
  expect(nextSlice({ length: 8 * DAY, samples: 40_000 })).toBe(4 * DAY);
  expect(nextSlice({ length: DAY, samples: 10_000_000 })).toBe(6 * HOUR);
  expect(nextSlice({ length: HOUR, samples: 10_000_000 })).toBe(HOUR);
});

/** Counts the pieces that were asked for, and knows whether the reading has ended. */
const counted = (many: number) => {
  const state = { asked: 0, ended: false };
  const pieces = async function* (): AsyncGenerator<unknown[][]> {
    try {
      for (; state.asked < many;) {
        state.asked += 1;
        yield POINTS;
      }
    } finally {
      state.ended = true;
    }
  };
  return { state, pieces: pieces() };
};

const writer = () => seriesWriter("csv", series, parquetFormat);

const away = async function* (): AsyncGenerator<unknown[][]> {
  yield Promise.reject(new Error("away"));
};

test("a reader who leaves ends the reading and makes room, even when nothing was taken", async () => {
  const stream = createStreams();
  const held = await Promise.all(Array.from({ length: 16 }, () => stream(counted(1).pieces, writer())));
  await expect(stream(counted(1).pieces, writer())).rejects.toMatchObject({
    status: 503,
    headers: { "retry-after": "5" },
  });
  await held[0]?.[Symbol.asyncIterator]().return?.();
  const { state, pieces } = counted(1000);
  const bytes = await stream(pieces, writer());
  let taken = 0;
  for await (const _ of bytes) if ((taken += 1) === 3) break;
  expect(state).toEqual({ asked: 2, ended: true });
  expect(await stream(counted(1).pieces, writer())).toBeDefined();
});

test("what fails before the first bytes is no answer, and makes room", async () => {
  const stream = createStreams();
  for (let n = 0; n < 20; n += 1) {
    await expect(stream(away(), writer())).rejects.toThrow("away");
  }
});

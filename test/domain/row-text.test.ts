import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/domain/canonical.ts";
import { attributesText, rowText } from "../../src/domain/row-text.ts";
import type { Attributes } from "../../src/domain/sample.ts";
import { daySamples } from "../support/day-samples.ts";

/** Members in another order, as jsonb hands them over, some of names that no build knows, some undefined. */
const members = fc
  .tuple(
    fc.dictionary(
      fc.constantFrom("created", "type", "zone_sent", "min", "metadata", "flags", "unit_received", "later", "1"),
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.constant(undefined),
        fc.json(),
        fc.object(),
      ),
    ),
    fc.nat(),
  )
  .map(([told, turn]): Attributes => {
    const entries = Object.entries(told);
    const at = entries.length === 0 ? 0 : turn % entries.length;
    return Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)]);
  });

test("a row's text is the canonical JSON of its members, as it has always been hashed", () => {
  fc.assert(
    fc.property(daySamples(), members, (rows, attributes) => {
      for (const row of [...rows, ...rows.slice(0, 1).map((row) => ({ ...row, attributes }))]) {
        const told = [row.athlete_id, row.sample_id, row.metric, row.start_at, row.end_at, row.value, row.unit];
        const rest = [row.source, row.device, row.tz, row.local_date, row.attributes, row.received_at];
        expect(rowText(row)).toBe(canonicalJson([...told, ...rest]));
      }
    }),
  );
});

test("attributes are canonical JSON, whatever members they have, with and without the arrival", () => {
  fc.assert(
    fc.property(members, fc.integer(), (attributes, received_at) => {
      expect(attributesText(attributes)).toBe(canonicalJson(attributes));
      expect(attributesText(attributes, received_at)).toBe(canonicalJson({ ...attributes, received_at }));
    }),
  );
});

test("more names than are remembered are written alike", () => {
  for (let n = 0; n < 5000; n += 1) expect(attributesText({ group_id: `"${n}\n` })).toBe(`{"group_id":"\\"${n}\\n"}`);
});

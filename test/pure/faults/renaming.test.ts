import fc from "fast-check";
import { expect, test } from "vitest";
import { renaming } from "../../support/network/renaming.ts";

const address = (port: number): Buffer => {
  const bytes = Buffer.from("127.0.0.1\0\0\0\0", "latin1");
  bytes.writeInt32BE(port, 9);
  return bytes;
};

test("however a stream is cut into pieces, the address in it is the other one, and nothing else is another", () => {
  const piece = fc.oneof(
    fc.constant(address(19092)),
    fc.constant(address(9092)),
    fc.constant(Buffer.from("127.0.0.1")),
    fc.constant(Buffer.from("127.1")),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(20)), (pieces, cuts) => {
      let found = 0;
      const stream = renaming("127.0.0.1", [19092, 50_000], () => (found += 1));
      // What could be the beginning of an address is held back until more comes: here something always does.
      const end = Buffer.from("the end");
      let rest = Buffer.concat([...pieces, end]);
      const out: Buffer[] = [];
      for (const cut of cuts) {
        out.push(stream.pass(Buffer.from(rest.subarray(0, cut))));
        rest = rest.subarray(cut);
      }
      out.push(stream.pass(Buffer.from(rest)));
      const asked = Buffer.concat([...pieces, end]).toString("latin1");
      const sought = address(19092).toString("latin1");
      expect(Buffer.concat(out).toString("latin1")).toBe(
        asked.replaceAll(sought, () => address(50_000).toString("latin1")),
      );
      expect(found).toBe(asked.split(sought).length - 1);
    }),
  );
});

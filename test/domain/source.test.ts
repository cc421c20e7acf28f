import { expect, test } from "vitest";
import { deviceClass, normaliseSource, sourceKey, sourceKeyOf, storable } from "../../src/domain/source.ts";
import { aSample } from "./make.ts";

const classOf = (over: Partial<Parameters<typeof deviceClass>[0]>) =>
  deviceClass({ bundle_id: null, product_type: null, source: "Thing", user_entered: false, ...over });

test("a source name has plain spaces and apostrophes", () => {
  expect(normaliseSource("Anna\u2019s\u00a0Apple\u00a0Watch")).toBe("Anna's Apple Watch");
});

test("no text holds what Postgres refuses", () => {
  expect(storable("a\0b\ud800c")).toBe("ab\ufffdc");
  expect(normaliseSource("a\0\u2019")).toBe("a'");
});

test("a source key is bundle and product, or the normalised name where there is no bundle", () => {
  expect(sourceKey("com.apple.health.1", "Watch7,5", "x")).toBe("com.apple.health.1|Watch7,5");
  expect(sourceKey("org.example", null, "x")).toBe("org.example|");
  expect(sourceKey(null, "Watch7,5", "Anna\u2019s Watch")).toBe("Anna's Watch");
  expect(sourceKey("", null, "Phone")).toBe("Phone");
});

test("the source key of a sample is that of what was sent", () => {
  expect(sourceKeyOf(aSample({ attributes: { bundle_id: "b", product_type: "p" } }))).toBe("b|p");
  expect(sourceKeyOf(aSample({ source: "Watch" }))).toBe("Watch");
});

test("a watch is known by its product, or by its name where there is no bundle", () => {
  expect(classOf({ product_type: "Watch7,5", bundle_id: "com.apple.health.1" })).toBe("watch");
  expect(classOf({ source: "Anna's Apple WATCH" })).toBe("watch");
  expect(classOf({ source: "Anna's Apple Watch", bundle_id: "org.example" })).toBe("app");
});

test("rings, bands and beds are known by whole words of their name", () => {
  const not = (device: string, sources: string[]): string[] =>
    sources.filter((source) => classOf({ source }) !== device);
  expect(not("ring", ["Oura", "Smart ring", "WHOOP 4", "Garmin Connect", "fitbit", "Mi Band 7"])).toEqual([]);
  expect(not("bed", ["Withings", "Eight Sleep Pod", "Bed sensor"])).toEqual([]);
  expect(not("device", ["Bandwidth", "Stringer", "Bedürfnis", "Embedded"])).toEqual([]);
  expect(classOf({ source: "Oura", bundle_id: "org.example" })).toBe("ring");
});

test("a phone is Apple's bundle, or an iPhone without one", () => {
  expect(classOf({ bundle_id: "com.apple.health.2", product_type: "iPhone15,2" })).toBe("phone");
  expect(classOf({ product_type: "iPhone15,2" })).toBe("phone");
  expect(classOf({ product_type: "iPhone15,2", bundle_id: "org.example" })).toBe("app");
});

test("what a person typed is manual, whatever it was typed on", () => {
  expect(classOf({ product_type: "Watch7,5", user_entered: true })).toBe("manual");
});

test("another bundle is an app, no bundle at all a device", () => {
  expect(classOf({ bundle_id: "org.example" })).toBe("app");
  expect(classOf({ product_type: "Scale1,1" })).toBe("device");
});

import { hash } from "node:crypto";
import type { Digest } from "../domain/sample.ts";

/** The domain's digests on node:crypto. */
export const digest: Digest = {
  sha1: (bytes) => hash("sha1", bytes, "hex"),
  sha256: (text) => hash("sha256", text, "hex"),
};

/** SHA-256 of an object's bytes, lower-case hex: `content_hash` of the contract. */
export const sha256Hex = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

import { expect, test } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { registryAdvice } from "../../../src/io/registry-advice.ts";
import { clientAccess } from "../../../src/io/registry-http.ts";

const accessOf = (url: string, env: Record<string, string>) =>
  clientAccess(url, readConfig(env).registrySecurity, (file) => `content of ${file}`);

test("without settings nothing is handed over; with them an authority of one's own and a login", () => {
  expect(accessOf("http://registry", {})).toEqual({});
  expect(accessOf("https://registry", { SCHEMA_REGISTRY_AUTH: "sync:p:ss" })).toEqual({
    auth: { username: "sync", password: "p:ss" },
  });
  const both = accessOf("https://registry", { SCHEMA_REGISTRY_CA: "ca", SCHEMA_REGISTRY_AUTH: "sync:pass" });
  expect(both.agent?.options.ca).toBe("content of ca");
  expect(both.auth).toEqual({ username: "sync", password: "pass" });
});

test.each<[string, string, Record<string, string>, string]>([
  ["an authority without TLS", "http://registry", { SCHEMA_REGISTRY_CA: "ca" }, "needs https://"],
  ["a password without TLS", "http://registry", { SCHEMA_REGISTRY_AUTH: "sync:secret" }, "needs https://"],
  ["a login in the address", "https://sync:secret@registry", {}, "SCHEMA_REGISTRY_AUTH"],
  ["a login without a password", "https://registry", { SCHEMA_REGISTRY_AUTH: "secret" }, "must be user:password"],
  ["a login without a user", "https://registry", { SCHEMA_REGISTRY_AUTH: ":secret" }, "must be user:password"],
])("%s is refused, and the password is not repeated", (_, url, env, reason) => {
  expect(() => accessOf(url, env)).toThrow(reason);
  expect(() => accessOf(url, env)).not.toThrow("secret");
});

test.each([
  ["the schema registry answered 403 to GET x", /read and write our subjects/],
  ["Hostname/IP does not match certificate's altnames", /as its certificate does/],
])("doctor's advice where it says %j", (says, advice) => {
  expect(registryAdvice(says)).toMatch(advice);
});

test("words that do not tell what is wrong are no ground for advice", () => {
  expect(registryAdvice("the schema registry did not answer within 5000 ms")).toBeUndefined();
});

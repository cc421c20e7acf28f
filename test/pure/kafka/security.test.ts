import { expect, test } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { securityOptions } from "../../../src/io/kafka-security.ts";

const optionsOf = (env: Record<string, string>) =>
  securityOptions(readConfig(env).kafkaSecurity, (file) => `content of ${file}`);
const LOGIN = { KAFKA_SASL_USERNAME: "sync", KAFKA_SASL_PASSWORD: "pass" };

test.each<[string, Record<string, string>, object]>([
  ["nothing is set: neither", {}, {}],
  ["TLS by the system's authorities", { KAFKA_SSL: "true" }, { ssl: true }],
  ["TLS by an authority of one's own", { KAFKA_SSL: "true", KAFKA_SSL_CA: "ca" }, { ssl: { ca: ["content of ca"] } }],
  [
    "a certificate of this client",
    { KAFKA_SSL: "true", KAFKA_SSL_CERT: "crt", KAFKA_SSL_KEY: "key" },
    { ssl: { cert: "content of crt", key: "content of key" } },
  ],
  [
    "SASL within TLS",
    { KAFKA_SSL: "true", KAFKA_SASL_MECHANISM: "plain", ...LOGIN },
    { ssl: true, sasl: { mechanism: "plain", username: "sync", password: "pass" } },
  ],
  [
    "SCRAM, which shows the password to nobody",
    { KAFKA_SASL_MECHANISM: "scram-sha-512", ...LOGIN },
    { sasl: { mechanism: "scram-sha-512", username: "sync", password: "pass" } },
  ],
])("%s", (_, env, options) => {
  expect(optionsOf(env)).toEqual(options);
});

test.each<[string, Record<string, string>, string]>([
  ["an authority without TLS", { KAFKA_SSL_CA: "ca" }, "need KAFKA_SSL=true"],
  ["a certificate without its key", { KAFKA_SSL: "true", KAFKA_SSL_CERT: "crt" }, "belong together"],
  ["a mechanism that there is not", { KAFKA_SASL_MECHANISM: "gssapi", ...LOGIN }, "choose from plain"],
  ["a login without a password", { KAFKA_SASL_MECHANISM: "scram-sha-256", KAFKA_SASL_USERNAME: "u" }, "needs"],
  ["a password in the clear", { KAFKA_SASL_MECHANISM: "plain", ...LOGIN }, "needs KAFKA_SSL=true"],
])("%s is refused with what to set", (_, env, text) => {
  expect(() => optionsOf(env)).toThrow(text);
});

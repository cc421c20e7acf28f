import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDoctor } from "../../src/app-doctor.ts";
import { connect } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { examineAll } from "../../src/ops/doctor.ts";
import { isolated } from "../support/stack.ts";
import { CERTIFICATE } from "../support/tls/broker.ts";

const here = await isolated("registry-tls");
const LOGIN = "sync:right:ly";
const known = `Basic ${Buffer.from(LOGIN).toString("base64")}`;
const upstream = new URL(here.env.SCHEMA_REGISTRY_URL);
const seen: string[] = [];
let front: Server;
let address: string;

/** TLS and a login in front of the real registry, as a proxy in a company's network has them. */
beforeAll(async () => {
  const key = readFileSync(fileURLToPath(new URL("../support/tls/key.pem", import.meta.url)));
  front = createServer({ cert: readFileSync(CERTIFICATE), key }, (asked, answer) => {
    seen.push(`${asked.method} ${asked.url}`);
    if (asked.headers.authorization !== known) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end('{"error_code":401,"message":"no"}');
      return;
    }
    const { authorization: _, host: _host, ...headers } = asked.headers;
    const on = request({ ...target, method: asked.method, path: asked.url, headers }, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      said.pipe(answer);
    });
    asked.pipe(on);
  });
  front.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(front.address() as AddressInfo).port}`;
});
afterAll(() => void front.close());
const target = { host: upstream.hostname, port: upstream.port };

const envWith = (settings: Record<string, string>, protocol = "https") => ({
  ...here.env,
  SCHEMA_REGISTRY_URL: `${protocol}://${address}${upstream.pathname}`,
  ...settings,
});

const found = async (env: Record<string, string>) => {
  const doctor = openDoctor(() => connect(readConfig(env), "doctor"));
  const [registry] = await examineAll(doctor.all.filter(({ part }) => part === "registry"));
  await doctor.close();
  return registry;
};

test("subjects are registered, compared and looked up by TLS and a login", async () => {
  const env = envWith({ SCHEMA_REGISTRY_CA: CERTIFICATE, SCHEMA_REGISTRY_AUTH: LOGIN });
  const { registry } = connect(readConfig(env), "test");
  const [subject, mode] = [`${here.prefix}by-tls-value`, "BACKWARD_TRANSITIVE"];
  const schema = { type: "record", name: "Small", namespace: "test", fields: [{ name: "at", type: "long" }] } as const;
  const asSent = { ...schema, fields: [...schema.fields] };
  await registry.setCompatibility(subject, mode);
  const id = await registry.register(subject, asSent, mode);
  expect(await registry.idOf(subject, asSent)).toBe(id);
  expect(await registry.schemaById(id)).toMatchObject({ schema: { name: "test.Small" } });
  expect(await registry.subject(subject)).toEqual({ compatibility: mode, versions: [schema] });
  expect(await registry.accepts(subject, { ...asSent, fields: [{ name: "other", type: "string" }] } as never)).toBe(
    false,
  );
  expect(await registry.subject(`${here.prefix}nobody-value`)).toBeNull();
  expect(new Set(seen.map((asked) => asked.split(" ")[0]))).toEqual(new Set(["PUT", "POST", "GET"]));
  expect(await found(env)).toMatchObject({ state: "fine" });
});

test.each<[string, Record<string, string>, [says: RegExp, advice: RegExp]]>([
  ["no login", { SCHEMA_REGISTRY_CA: CERTIFICATE }, [/answered 401/, /SCHEMA_REGISTRY_AUTH/]],
  [
    "a wrong password",
    { SCHEMA_REGISTRY_CA: CERTIFICATE, SCHEMA_REGISTRY_AUTH: "sync:wrong-secret" },
    [/answered 401/, /SCHEMA_REGISTRY_AUTH/],
  ],
  ["a certificate of somebody else's", { SCHEMA_REGISTRY_AUTH: LOGIN }, [/self-signed/, /set SCHEMA_REGISTRY_CA/]],
])("%s: doctor says what to do, and no password", async (_, settings, [says, advice]) => {
  const registry = await found(envWith(settings));
  expect(registry?.state).toBe("bad");
  expect(registry?.says).toMatch(says);
  expect(registry?.advice).toMatch(advice);
  expect(JSON.stringify(registry)).not.toMatch(/wrong-secret|right:ly/);
});

test("http where the registry listens by TLS, and https where it does not: doctor says which", async () => {
  expect(await found(envWith({}, "http"))).toMatchObject({
    state: "bad",
    advice: expect.stringContaining("write https://") as string,
  });
  const plain = { ...here.env, SCHEMA_REGISTRY_URL: here.env.SCHEMA_REGISTRY_URL.replace("http:", "https:") };
  expect(await found(plain)).toMatchObject({
    state: "bad",
    advice: expect.stringContaining("write http://") as string,
  });
});

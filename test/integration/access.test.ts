import { writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair, type JWTHeaderParameters } from "jose";
import { expect, test } from "vitest";
import { SCOPES } from "../../src/flow/token-claims.ts";
import type { Route } from "../../src/flow/route.ts";
import { gathered } from "../../src/io/gathered.ts";
import { jwksVerifier } from "../../src/io/http-auth.ts";
import { jwksKeys } from "../../src/io/http-jwks.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { type Asked, createAccess, readStandings } from "../../src/ops/access.ts";
import { parseRevocation, revokeCommand } from "../../src/ops/token-revoke.ts";
import { openEdge, SECRET, tokenFor } from "../support/ingest/edge.ts";
import { openRouteTable } from "../support/route-table.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("access");
const { routes, db } = openRouteTable(here);
const clock = { now: () => Date.now() };
const standing = gathered((asked: readonly Asked[]) => readStandings(db, asked));
const edge = await openEdge(routes, { access: createAccess({ db, clock, standing }) });

const ofAthletes = routes.filter((route) => route.path.includes("{athlete_id}"));
const named = ofAthletes.map((route) => [`${route.method} ${route.path}`, route] as const);
const pathOf = (route: Route, athlete: string): string =>
  route.path.replace("{athlete_id}", athlete).replaceAll(/\{\w+\}/g, "2026-11-20");

const ask = async (route: Route, athlete: string, token: string | null): Promise<number> => {
  const answer = await fetch(edge.url + pathOf(route, athlete), {
    method: route.method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  await answer.body?.cancel();
  return answer.status;
};

test("the table has the routes that read, write, export and erase, and none of an athlete's is public", () => {
  const paths = ofAthletes.map(({ method, path }) => `${method} ${path.replace("/v1/athletes/{athlete_id}", "")}`);
  expect(paths).toEqual(expect.arrayContaining(["POST /batches", "GET /samples", "GET /export", "DELETE "]));
  expect(routes.filter((route) => route.path.startsWith("/v1/") && route.scope === null)).toEqual([]);
});

const key = new TextEncoder().encode(SECRET);
const jwt = (header: JWTHeaderParameters = { alg: "HS256" }): SignJWT =>
  new SignJWT({ athletes: ["anna"], scopes: SCOPES })
    .setProtectedHeader(header)
    .setIssuer("health-sync")
    .setAudience("health-sync")
    .setExpirationTime("5m");

test.each(named)("I9: %s refuses another athlete's token, whatever its scopes", async (_, route) => {
  const other = await tokenFor({ athletes: ["ben", "Anna", "ann", "anna2"], scopes: SCOPES });
  expect(await ask(route, "anna", other)).toBe(403);
});

test.each(named)("%s refuses a token without its scope, and one that is none of ours", async (_, route) => {
  const scopes = SCOPES.filter((scope) => scope !== route.scope);
  expect(await ask(route, "anna", await tokenFor({ athletes: ["anna"], scopes }))).toBe(403);
  const bad: Record<string, string | null> = {
    none: null,
    expired: await tokenFor({ athletes: ["anna"], scopes: SCOPES, ttl: -1 }),
    "another secret": await tokenFor({ athletes: ["anna"], scopes: SCOPES, secret: "x".repeat(40) }),
    "another algorithm": await jwt({ alg: "HS384" }).sign(key),
    "another issuer": await jwt().setIssuer("elsewhere").sign(key),
    "another audience": await jwt().setAudience("elsewhere").sign(key),
    "not yet": await jwt().setNotBefore("1h").sign(key),
    unsigned: new UnsecuredJWT({ athletes: ["anna"], scopes: SCOPES })
      .setIssuer("health-sync")
      .setAudience("health-sync")
      .setExpirationTime("5m")
      .encode(),
  };
  const answers = await Promise.all(
    Object.entries(bad).map(async ([name, token]) => [name, await ask(route, "anna", token)]),
  );
  expect(answers).toEqual(Object.keys(bad).map((name) => [name, 401]));
});

const probe = ofAthletes.find(({ method, path }) => method === "GET" && path.endsWith("/{batch_id}")) as Route;
const open = async () => openDatabase({ url: here.databaseUrl, max: 1 });

const revoke = async (...args: string[]): Promise<string[]> => {
  const printed: string[] = [];
  const command = revokeCommand({ print: (line) => void printed.push(line), open });
  await new Command()
    .exitOverride()
    .addCommand(command)
    .parseAsync(["revoke", ...args], { from: "user" });
  return printed;
};

test("a revoked token is refused at once, by itself or by its id; others go on", async () => {
  const [token, byId, other] = await Promise.all([
    tokenFor({ athletes: ["anna"] }),
    tokenFor({ athletes: ["anna"], id: "lost-phone" }),
    tokenFor({ athletes: ["anna"] }),
  ]);
  await revoke(token, "--dry-run");
  expect(await ask(probe, "anna", token)).toBe(404);
  expect((await revoke(token)).join("")).toContain("until it expires");
  await revoke("lost-phone");
  await revoke("lost-phone");
  expect(await ask(probe, "anna", token)).toBe(401);
  expect(await ask(probe, "anna", byId)).toBe(401);
  expect(await ask(probe, "anna", other)).toBe(404);
  expect(() => parseRevocation("a.b.c")).toThrow("neither a token nor the id of one");
  const nameless = await jwt().sign(key);
  expect(() => parseRevocation(nameless)).toThrow("without an id");
});

test("a token from before an erasure is answered with 410 everywhere, one from after it begins anew", async () => {
  const before = await tokenFor({ athletes: ["erased"], scopes: SCOPES });
  await db.query(`insert into athletes (athlete_id, erased_before) values ('erased', now())`);
  const ages = await Promise.all(ofAthletes.map((route) => ask(route, "erased", before)));
  expect(new Set(ages)).toEqual(new Set([410]));
  expect(await ask(probe, "anna", await tokenFor())).toBe(404);
  // Also in the very second of the erasure.
  await db.query(`update athletes set erased_before = clock_timestamp() where athlete_id = 'erased'`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await ask(probe, "erased", await tokenFor({ athletes: ["erased"] }))).toBe(404);
  // Through every door, and to every reader; but to be erased is not asked for again.
  const after = await tokenFor({ athletes: ["erased"], scopes: SCOPES });
  const again = ofAthletes.filter(({ method, path }) => method !== "DELETE" || !path.endsWith("{athlete_id}"));
  const answers = await Promise.all(again.map((route) => ask(route, "erased", after)));
  expect(answers.filter((status) => status === 410 || status === 401 || status === 403)).toEqual([]);
  expect(again.filter(({ method }) => method === "POST").length).toBeGreaterThanOrEqual(6);
  const undated = await jwt().sign(key);
  await db.query(`insert into athletes (athlete_id, erased_before) values ('anna', '2020-01-01')`);
  expect(await ask(probe, "anna", undated)).toBe(410);
  await db.query(`delete from athletes where athlete_id = 'anna'`);
});

test("when Postgres is away, revocations count as last seen, and nobody else is turned away or kept waiting", async () => {
  let now = Date.now();
  let away = false;
  const flaky = {
    ...db,
    query: <Row>(text: string, params?: readonly unknown[]): Promise<Row[]> =>
      away ? new Promise(() => undefined) : db.query<Row>(text, params),
  };
  const access = createAccess({ db: flaky, clock: { now: () => now }, lookup_ms: 20 });
  const holder = (id: string) => ({ athletes: "*" as const, scopes: SCOPES, id, issued_at: now });
  await db.query(`insert into revoked_tokens (jti, expires_at) values ('stolen', 'infinity')`);
  await access(holder("good"), "anna");
  // The list is read beside the request, which does not wait for it.
  await db.query(`select pg_sleep(0.3)`);
  now += 60_000;
  away = true;
  await expect(access(holder("stolen"), "anna")).rejects.toMatchObject({ status: 401 });
  await Promise.all(Array.from({ length: 50 }, () => access(holder("good"), "anna")));
});

const keySet = async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const public_ = { ...(await exportJWK(pair.publicKey)), alg: "ES256", use: "sig" };
  const sign = (kid: string): Promise<string> =>
    jwt({ alg: "ES256", kid }).setIssuer("https://login.example").sign(pair.privateKey);
  return { public_, sign };
};

test("tokens of another issuer are checked by its key set, which may be rotated; HMAC with a public key is none", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-jwks-")), "jwks.json");
  const verify = jwksVerifier(jwksKeys(file), { issuer: "https://login.example", audience: "health-sync" });
  const [first, second] = await Promise.all([keySet(), keySet()]);
  const write = (...keys: object[]): void => writeFileSync(file, JSON.stringify({ keys }));
  await expect(verify(await first.sign("k1"))).rejects.toMatchObject({ status: 503 });
  write({ ...first.public_, kid: "k1" });
  expect(await verify(await first.sign("k1"))).toMatchObject({ athletes: ["anna"], scopes: SCOPES });
  await expect(verify(await second.sign("k2"))).rejects.toMatchObject({ status: 401 });
  write({ ...first.public_, kid: "k1" }, { ...second.public_, kid: "k2" });
  await expect
    .poll(
      async () =>
        verify(await second.sign("k2")).then(
          () => "taken",
          () => "refused",
        ),
      { timeout: 5_000 },
    )
    .toBe("taken");
  const hmac = await jwt({ alg: "HS256", kid: "k1" })
    .setIssuer("https://login.example")
    .sign(new TextEncoder().encode(JSON.stringify(first.public_)));
  await expect(verify(hmac)).rejects.toMatchObject({ status: 401 });
  await expect(verify(await tokenFor())).rejects.toMatchObject({ status: 401 });
  const away = jwksVerifier(jwksKeys("http://127.0.0.1:9/jwks.json"), { issuer: "x", audience: "y" });
  await expect(away(await first.sign("k1"))).rejects.toMatchObject({ status: 503 });
});

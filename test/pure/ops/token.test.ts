import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { bearerToken, permit, tokenVerifier } from "../../../src/io/http-auth.ts";
import { mintToken, parseTtl, tokenCommand } from "../../../src/ops/token.ts";

const SECRET = "a secret of this test, long enough to sign";

const run = async (args: string[], secret = SECRET): Promise<string[]> => {
  const lines: string[] = [];
  const command = tokenCommand({ secret: () => secret, print: (line) => lines.push(line) })
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await command.parseAsync(["node", "token", ...args]);
  return lines;
};

test("a minted token is what the edge accepts, with its athletes and scopes and nothing else on stdout", async () => {
  const lines = await run(["--athlete", "a1", "--athlete", "a2", "--scope", "ingest,read", "--ttl", "2h"]);
  expect(lines).toHaveLength(1);
  const token = lines[0] ?? "";
  expect(await tokenVerifier(SECRET)(bearerToken(`Bearer ${token}`))).toEqual({
    athletes: ["a1", "a2"],
    id: expect.any(String) as unknown,
    issued_at: expect.any(Number) as unknown,
    scopes: ["ingest", "read"],
    subject: "a1,a2",
  });
  const { exp = 0, iat = 0 } = decodeJwt(token);
  expect(exp - iat).toBeCloseTo(7200, 3);
});

test("a token for all athletes is a wish of its own", async () => {
  const [token = ""] = await run(["--all-athletes", "--scope", "ops"]);
  const claims = await tokenVerifier(SECRET)(token);
  expect(() => permit(claims, "ops", "anyone")).not.toThrow();
  expect(() => permit(claims, "read", "anyone")).toThrow(/scope read/);
});

const holder = async (...args: string[]): Promise<unknown> => {
  const [token = ""] = await run([...args, "--scope", "write"]);
  return (await tokenVerifier(SECRET)(token)).subject;
};

test("a token names its holder, for the history of edits: as told, else the athlete, else the operator", async () => {
  expect(await holder("--athlete", "a1", "--subject", "coach@team.example")).toBe("coach@team.example");
  expect(await holder("--athlete", "a1")).toBe("a1");
  expect(await holder("--all-athletes")).toBe("operator");
});

test.each([
  [["--athlete", "a1", "--scope", "read", "--subject", "two words"], /--subject/],
  [["--scope", "read"], /either --athlete/],
  [["--athlete", "a1", "--all-athletes", "--scope", "read"], /either --athlete/],
  [["--athlete", "a/1", "--scope", "read"], /--athlete/],
  [["--athlete", "a1"], /--scope/],
  [["--athlete", "a1", "--scope", "root"], /--scope/],
  [["--athlete", "a1", "--scope", "read", "--ttl", "soon"], /--ttl/],
  [["--athlete", "a1", "--scope", "read", "--ttl", "0d"], /--ttl/],
])("wrong arguments %j mint nothing", async (args, message) => {
  await expect(run(args)).rejects.toThrow(message);
});

test("a short secret signs and verifies nothing", async () => {
  await expect(mintToken({ secret: "short", athletes: "*", scopes: ["read"], ttl: 60 })).rejects.toThrow(/AUTH_SECRET/);
  expect(() => tokenVerifier("short")).toThrow(/AUTH_SECRET/);
});

test("a token that was good is refused in the second it expires, and one that differs in a letter never passes", async () => {
  const verify = tokenVerifier(SECRET);
  const token = await mintToken({ secret: SECRET, athletes: ["a1"], scopes: ["read"], ttl: 2 });
  const first = await verify(token);
  expect(await verify(token)).toBe(first);
  const other = token.slice(0, -4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
  await expect(verify(other)).rejects.toThrow(/not ours/);
  const { exp = 0 } = decodeJwt(token);
  await new Promise((resolve) => setTimeout(resolve, Math.ceil(exp) * 1000 - Date.now() + 5));
  await expect(verify(token)).rejects.toThrow(/expired/);
});

test("times are written with their unit", () => {
  expect(["90s", "45m", "12h", "30d"].map(parseTtl)).toEqual([90, 2700, 43_200, 2_592_000]);
});

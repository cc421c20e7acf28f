import { randomUUID } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { SignJWT } from "jose";
import type { Scope } from "../flow/route.ts";
import { MIN_SECRET_BYTES, SCOPES, TOKEN, type TokenClaims } from "../flow/token-claims.ts";
import { isAthleteId } from "../domain/ids.ts";

export type TokenRequest = TokenClaims & {
  secret: string;
  /** Seconds. */
  ttl: number;
};

/** Whoever is not named is the athlete that the token is for. */
const holderOf = ({ subject, athletes }: TokenClaims): string =>
  subject ?? (athletes === "*" ? "operator" : athletes.join(","));

/** A signed bearer token. Throws when the secret is too short to be safe. */
export const mintToken = async ({ secret, ttl, ...claims }: TokenRequest): Promise<string> => {
  const key = new TextEncoder().encode(secret);
  if (key.length < MIN_SECRET_BYTES) throw new Error(`AUTH_SECRET needs at least ${MIN_SECRET_BYTES} bytes`);
  // To the millisecond: in whole seconds, a token of the second of an erasure would count as older than it.
  const now = Date.now() / 1000;
  return new SignJWT({ athletes: claims.athletes, scopes: claims.scopes })
    .setProtectedHeader({ alg: TOKEN.algorithm, typ: "JWT" })
    .setIssuer(TOKEN.issuer)
    .setAudience(TOKEN.audience)
    .setSubject(holderOf(claims))
    .setIssuedAt(now)
    .setJti(claims.id ?? randomUUID())
    .setExpirationTime(now + ttl)
    .sign(key);
};

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `30d`, `12h`, `45m` or `90s` in seconds. */
export const parseTtl = (text: string): number => {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const seconds = Number(match?.[1] ?? 0) * (SECONDS[match?.[2] ?? ""] ?? 0);
  if (seconds === 0) throw new InvalidArgumentError("write it like 30d, 12h, 45m or 90s");
  return seconds;
};

export const parseScopes = (text: string): Scope[] => {
  const scopes = [...new Set(text.split(",").map((scope) => scope.trim()))];
  const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is not one of ${SCOPES.join(", ")}`);
  return scopes as Scope[];
};

const addAthlete = (id: string, before: string[] | undefined): string[] => {
  if (!isAthleteId(id)) {
    throw new InvalidArgumentError("1 to 64 letters, digits, _ or -, starting with a letter or digit");
  }
  return [...(before ?? []), id];
};

const parseSubject = (text: string): string => {
  if (/^[\w.@:+-]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError("1 to 128 letters, digits and . _ @ : + -");
};

type Options = { athlete?: string[]; allAthletes?: true; scope?: Scope[]; ttl: number; subject?: string; json?: true };

/** `health-sync token`. `secret` reads AUTH_SECRET, or throws what to set; `print` writes a line to stdout. */
export const tokenCommand = (deps: { secret: () => string; print: (line: string) => void }): Command =>
  new Command("token")
    .description("print one bearer token")
    .option("--athlete <id>", "an athlete it may act for (repeatable)", addAthlete)
    .option("--all-athletes", "it may act for every athlete")
    .option("--scope <scopes>", `what it may do: ${SCOPES.join(",")}`, parseScopes)
    .option("--ttl <time>", "how long it is valid", parseTtl, parseTtl("30d"))
    .option("--subject <name>", "who holds it: stands in the history of edits", parseSubject)
    .option("--json", "print it as JSON with its claims")
    .action(async (options: Options, command: Command) => {
      if ((options.athlete === undefined) === (options.allAthletes === undefined)) {
        command.error("give either --athlete ID or --all-athletes");
      }
      // Not a required option: `token revoke` would need it too.
      const scopes = options.scope ?? command.error("give --scope: what the token may do");
      const athletes: TokenClaims["athletes"] = options.athlete ?? "*";
      const who = options.subject === undefined ? {} : { subject: options.subject };
      const claims = { athletes, scopes, id: randomUUID(), ...who };
      const token = await mintToken({ secret: deps.secret(), ttl: options.ttl, ...claims });
      deps.print(options.json ? JSON.stringify({ token, ...claims, ttl_s: options.ttl }) : token);
    });

import { readFileSync } from "node:fs";
import { request as plainRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent, request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";

/** How the registry is reached besides its address. */
export type RegistrySecurity = {
  /** File with the certificates that its own must be signed by, instead of the system's; empty: these. */
  ca: string;
  /** `user:password` of basic authentication; empty: none. */
  auth: string;
};

export const OPEN: RegistrySecurity = { ca: "", auth: "" };

/** What the registry's client takes beside the address. */
export type ClientAccess = { auth?: { username: string; password: string }; agent?: Agent };

/** Throws what is wrong with the settings; the password is in no message. */
export const clientAccess = (
  url: string,
  { ca, auth }: RegistrySecurity,
  read: (file: string) => string = (file) => readFileSync(file, "utf8"),
): ClientAccess => {
  const { protocol, username, password } = new URL(url);
  if (username !== "" || password !== "") {
    throw new Error("SCHEMA_REGISTRY_URL must not hold a login: put user:password into SCHEMA_REGISTRY_AUTH");
  }
  const secure = protocol === "https:";
  if (ca !== "" && !secure) throw new Error("SCHEMA_REGISTRY_CA needs https:// in SCHEMA_REGISTRY_URL");
  if (auth === "") return ca === "" ? {} : { agent: new Agent({ ca: read(ca) }) };
  // Basic authentication hands the password over as it is.
  if (!secure) throw new Error("SCHEMA_REGISTRY_AUTH needs https:// in SCHEMA_REGISTRY_URL");
  const colon = auth.indexOf(":");
  if (colon < 1 || colon === auth.length - 1) throw new Error("SCHEMA_REGISTRY_AUTH must be user:password");
  const login = { username: auth.slice(0, colon), password: auth.slice(colon + 1) };
  return { auth: login, ...(ca === "" ? {} : { agent: new Agent({ ca: read(ca) }) }) };
};

export type Question = { method: string; address: string; body?: unknown };
export type Answered = { status: number; text: string };

/** One request for JSON. Rejects where no whole answer comes within `giveUpMs`. */
export const askBy =
  ({ auth, agent }: ClientAccess, giveUpMs: number) =>
  async ({ method, address, body }: Question): Promise<Answered> => {
    const options = {
      method,
      signal: AbortSignal.timeout(giveUpMs),
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      ...(auth ? { auth: `${auth.username}:${auth.password}` } : {}),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asked: ClientRequest = address.startsWith("https:")
      ? tlsRequest(address, { ...options, ...(agent ? { agent } : {}) }, resolve)
      : plainRequest(address, options, resolve);
    asked.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await promise;
    return { status: answer.statusCode ?? 0, text: await text(answer) };
  };

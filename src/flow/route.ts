import type { Instant } from "../domain/sample.ts";

export type Scope = "ingest" | "read" | "write" | "ops";

/** A JSON Schema (TypeBox values are JSON Schemas). */
export type Schema = object;

export type RouteRequest = {
  /** The `{athlete_id}` of the path, valid and allowed for the token; null where the path names none. */
  athlete_id: string | null;
  params: Readonly<Record<string, string>>;
  /** Checked against `schema.query`, numbers and booleans converted as it says. */
  query: Readonly<Record<string, unknown>>;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON, checked against `schema.body`. */
  body: unknown;
  /** The body's bytes after inflation; empty where there is none. */
  raw: Uint8Array;
  /** The bytes as they come in, where the route takes an upload: read once, inflated by the handler; absent without a body. */
  stream?: AsyncIterable<Uint8Array>;
  received_at: Instant;
  request_id: string;
  /** Who holds the token (`sub`); null where it does not say, and on public routes. */
  subject: string | null;
  /** Whom the token may act for: for routes that name no athlete in their path, but many in their query. */
  athletes: readonly string[] | "*";
};

/**
 * `body` is sent as JSON, unless `headers["content-type"]` is given: then it is a string, bytes or an
 * async iterable of strings (server-sent events).
 */
export type RouteResponse = { status: number; body: unknown; headers?: Record<string, string> };

/**
 * One route as plain data: stages describe routes, src/io/http.ts serves them, /openapi.json lists them.
 * Paths are in OpenAPI's spelling: `/v1/athletes/{athlete_id}/metrics`. A path that names an athlete needs a
 * token for that athlete; `scope: null` is a public route.
 */
export type Route = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  scope: Scope | null;
  summary: string;
  /** The body is not read before the handler does, whatever its Content-Type says. */
  upload?: true;
  schema: {
    query?: Schema;
    body?: Schema;
    /** By status; problem documents need no entry. `media`: what it may be besides JSON. */
    responses?: Readonly<Record<number, { description: string; schema?: Schema; media?: readonly string[] }>>;
  };
  handler(request: RouteRequest): Promise<RouteResponse>;
};

export type FieldError = { path: string; detail: string };

/** Thrown by handlers; answered as an RFC 9457 problem document. `detail` tells the reader what to do. */
export class Problem extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    more: { errors?: FieldError[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** What cannot be done now: 503 with `Retry-After`. The cause goes to the log, not to the client. */
export const unavailable = (detail: string, seconds: number, cause?: unknown): Problem =>
  new Problem(503, detail, { headers: { "retry-after": String(seconds) }, cause });

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Clock, Telemetry } from "../flow/ports.ts";
import { Problem, type Route, type RouteResponse } from "../flow/route.ts";
import type { TokenClaims } from "../flow/token-claims.ts";
import { isAthleteId } from "../domain/ids.ts";
import { bearerToken, permit, type TokenVerifier } from "./http-auth.ts";
import { inflated, parsedJson } from "./http-body.ts";
import type { Limits } from "./http-limits.ts";
import { openApi } from "./http-openapi.ts";
import { type Place, takenPlace } from "./http-places.ts";
import { asProblem, problemDocument } from "./http-problem.ts";
import { addUploads, boundBody } from "./http-upload.ts";
import { bodyValidator, queryReader } from "./http-validate.ts";

export type HttpOptions = {
  routes: readonly Route[];
  verify: TokenVerifier;
  /** What is known against a token that is otherwise good. Throws a Problem. */
  access?: (claims: TokenClaims, athleteId: string | null) => Promise<void>;
  /** Takes a place for a request, and answers how to give it back. Throws a Problem. */
  admission?: Limits;
  telemetry: Telemetry;
  clock: Clock;
  version: string;
  /** Bytes of a body as sent, and after inflation. */
  limits?: { body_bytes: number; inflated_bytes: number };
};

export type HttpServer = {
  /** Port 0 takes a free one; answers the address that it listens on. */
  listen(port: number, host?: string): Promise<{ port: number; url: string }>;
  /** Takes no new request, finishes those in flight. */
  close(): Promise<void>;
};

const DEFAULT_LIMITS = { body_bytes: 16 << 20, inflated_bytes: 64 << 20 };
const NO_BYTES = Buffer.alloc(0);

const bodies = new WeakMap<FastifyRequest, Buffer>();
const holders = new WeakMap<FastifyRequest, TokenClaims>();
const places = new WeakMap<FastifyRequest, Place>();

const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const problem = asProblem(error);
  return reply
    .code(problem.status)
    .headers({ ...problem.headers, "content-type": "application/problem+json" })
    .send(JSON.stringify(problemDocument(problem, request.id)));
};

const isStream = <Piece>(body: unknown): body is AsyncIterable<Piece> =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body;

/** `broken`: a stream ended in an error, when its answer had begun already and nobody else will tell. */
const send = (reply: FastifyReply, answer: RouteResponse, broken: (error: Error) => void): FastifyReply => {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.headers?.["content-type"] === undefined) {
    return reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(answer.body ?? null));
  }
  if (!isStream<string | Uint8Array>(answer.body)) return reply.send(answer.body);
  // A stream may begin before the drain and end in it: kept alive behind it, its connection would hold it up for a minute.
  return reply.header("connection", "close").send(Readable.from(answer.body).once("error", broken));
};

/** `/v1/athletes/{athlete_id}` → `/v1/athletes/:athlete_id`. */
const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const athleteOf = (request: FastifyRequest): string | null =>
  (request.params as { athlete_id?: string }).athlete_id ?? null;

/** No id, date or key has control characters; Postgres takes no U+0000 at all. */
const checkParams = (request: FastifyRequest): void => {
  const params = Object.entries(request.params as Record<string, string>);
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  const path = params.find(([, value]) => /[\u0000-\u001f\u007f]/.test(value))?.[0];
  if (path === undefined) return;
  const detail = "must not hold control characters";
  throw new Problem(400, `${path} ${detail}`, { errors: [{ path, detail }] });
};

const admit = async (
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  options: HttpOptions,
): Promise<void> => {
  if (route.scope === null) return;
  const token = bearerToken(request.headers.authorization);
  const claims = await options.verify(token);
  const athlete = athleteOf(request);
  if (athlete !== null && !isAthleteId(athlete)) {
    const detail = "must be 1 to 64 letters, digits, _ or -, and start with a letter or digit";
    throw new Problem(400, `athlete_id ${detail}`, { errors: [{ path: "athlete_id", detail }] });
  }
  checkParams(request);
  permit(claims, route.scope, athlete);
  const giveBack = options.admission?.(claims.id ?? token, athlete);
  if (giveBack) places.set(request, takenPlace(reply.raw, giveBack));
  await options.access?.(claims, athlete);
  holders.set(request, claims);
};

const register = (app: FastifyInstance, route: Route, options: HttpOptions): void => {
  const readQuery = queryReader(route.schema.query ?? { type: "object", properties: {} });
  const checkBody = route.schema.body === undefined ? () => {} : bodyValidator(route.schema.body);
  const answerTo = async (request: FastifyRequest): Promise<RouteResponse> => {
    checkBody(request.body);
    return route.handler({
      athlete_id: athleteOf(request),
      params: request.params as Record<string, string>,
      query: readQuery(request.query as Record<string, unknown>),
      headers: request.headers as Record<string, string | undefined>,
      body: request.body,
      raw: bodies.get(request) ?? NO_BYTES,
      ...(route.upload && isStream<Uint8Array>(request.body) ? { stream: request.body } : {}),
      received_at: options.clock.now(),
      request_id: request.id,
      subject: holders.get(request)?.subject ?? null,
      athletes: holders.get(request)?.athletes ?? [],
    });
  };
  app.route({
    method: route.method,
    url: routerPath(route.path),
    onRequest: (request, reply) => {
      boundBody(request.raw, route.upload ?? false);
      return admit(route, request, reply, options);
    },
    handler: async (request, reply) => {
      const place = places.get(request);
      place?.begin();
      try {
        const answer = await answerTo(request);
        // A stream may last for hours; what it takes is bounded by its route.
        if (isStream(answer.body)) place?.giveBack();
        return await send(reply, answer, (error) =>
          options.telemetry.warn("http_stream_broken", { error: error.name, request_id: request.id }),
        );
      } finally {
        place?.end();
      }
    },
  });
};

/** 405 where another method would do, else 404. */
const notFound = (routes: readonly Route[]): ((request: FastifyRequest, reply: FastifyReply) => FastifyReply) => {
  const patterns = routes.map((route) => ({
    method: route.method,
    pattern: new RegExp(`^${route.path.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  }));
  return (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const methods = patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    const problem =
      methods.length === 0
        ? new Problem(404, "there is nothing here; /openapi.json lists what there is")
        : new Problem(405, `use ${methods.join(" or ")}`, { headers: { allow: methods.join(", ") } });
    return sendProblem(problem, request, reply);
  };
};

/** One line a request with the route's pattern: neither ids nor values stand in it. */
const observe = (app: FastifyInstance, telemetry: Telemetry): void => {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    telemetry.count("http_requests", labels);
    telemetry.time("http_ms", { method: request.method, route }, reply.elapsedTime);
    if (route === "/healthz" || route === "/readyz" || route === "/metrics") return;
    telemetry.info("http_request", { ...labels, ms: Math.round(reply.elapsedTime), request_id: request.id });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.status === 503) {
      telemetry.warn("http_unavailable", { error: problem.cause, request_id: request.id });
    }
    if (problem.status === 500) {
      const { name, stack } = error as Error;
      const frames = stack?.split("\n").filter((line) => line.trimStart().startsWith("at "));
      telemetry.warn("http_error", { error: name, request_id: request.id, frames: frames?.slice(0, 8) });
    }
    return sendProblem(problem, request, reply);
  });
};

const builtIn = (routes: readonly Route[], version: string): Route[] => {
  const document = openApi(routes, { title: "health-sync", version });
  const description: Route = {
    method: "GET",
    path: "/openapi.json",
    scope: null,
    summary: "This description",
    schema: {},
    handler: async () => ({ status: 200, body: document }),
  };
  return [...routes, description];
};

const requestId = (request: { headers: Record<string, string | string[] | undefined> }): string => {
  const sent = request.headers["x-request-id"];
  return typeof sent === "string" && /^[\w.-]{1,64}$/.test(sent) ? sent : randomUUID();
};

/** Serves plain route descriptions: tokens, validation, gzip, problem documents and /openapi.json. */
export const createHttpServer = (options: HttpOptions): HttpServer => {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const app = fastify({
    logger: false,
    bodyLimit: limits.body_bytes,
    genReqId: requestId,
    forceCloseConnections: "idle",
    requestTimeout: 0,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  });
  app.removeAllContentTypeParsers();
  const isJson = /^application\/(?:[\w.-]+\+)?json(?:$|;| )/i;
  app.addContentTypeParser(isJson, { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) => {
    const bytes = await inflated(body, request.headers["content-encoding"], limits.inflated_bytes);
    bodies.set(request, bytes);
    return parsedJson(bytes);
  });
  const routes = builtIn(options.routes, options.version);
  observe(app, options.telemetry);
  for (const route of routes) if (!route.upload) register(app, route, options);
  addUploads(app, (inner) => {
    for (const route of routes) if (route.upload) register(inner, route, options);
  });
  // Told before the body is read: nobody who has no token makes us parse megabytes.
  const nothingHere = notFound(routes);
  app.setNotFoundHandler(nothingHere);
  app.addHook("onRequest", async (request, reply) => (request.is404 ? nothingHere(request, reply) : undefined));
  let closing = false;
  // Else the connection of a request in flight would be kept alive behind its answer, and hold up the drain for a minute.
  app.addHook("onSend", async (_, reply) => {
    if (closing) reply.header("connection", "close");
  });
  return {
    async listen(port, host = "0.0.0.0") {
      await app.listen({ port, host });
      const address = app.server.address();
      const taken = typeof address === "object" && address !== null ? address.port : port;
      return { port: taken, url: `http://127.0.0.1:${taken}` };
    },
    close: () => {
      closing = true;
      return app.close();
    },
  };
};

import type { Route, Schema } from "../flow/route.ts";

type Info = { title: string; version: string };

const content = (schema: Schema | undefined, media: readonly string[] = []): object =>
  schema === undefined
    ? {}
    : { content: { "application/json": { schema }, ...Object.fromEntries(media.map((type) => [type, {}])) } };

/** What the routes themselves refuse otherwise; every other parameter is any text. */
const PATH_PARAMETERS: Readonly<Record<string, Schema>> = {
  athlete_id: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" },
  date: { type: "string", format: "date" },
  session_id: { type: "string", format: "uuid" },
};

const parameters = (route: Route): object[] => {
  const query = (route.schema.query ?? {}) as { properties?: Record<string, Schema>; required?: string[] };
  return [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
      name,
      in: "path",
      required: true,
      schema: PATH_PARAMETERS[name] ?? { type: "string" },
    })),
    ...Object.entries(query.properties ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: query.required?.includes(name) ?? false,
      schema,
    })),
  ];
};

const operation = (route: Route): object => ({
  summary: route.summary,
  parameters: parameters(route),
  ...(route.scope === null ? {} : { security: [{ bearer: [] }], "x-scope": route.scope }),
  ...(route.schema.body === undefined ? {} : { requestBody: { required: true, ...content(route.schema.body) } }),
  ...(route.upload ? { requestBody: { required: true, content: { "application/octet-stream": {} } } } : {}),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.schema.responses ?? { 200: { description: "OK" } }).map(([status, answer]) => [
        status,
        { description: answer.description, ...content(answer.schema, answer.media) },
      ]),
    ),
    default: {
      description: "A problem document (RFC 9457)",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  },
});

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" }, detail: { type: "string" } } },
    },
  },
};

/** OpenAPI 3.1, from the same schemas that check the requests: JSON Schema is its schema language. */
export const openApi = (routes: readonly Route[], info: Info): object => {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info,
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
};

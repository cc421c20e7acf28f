import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { type FieldError, Problem, type Schema } from "../flow/route.ts";

/** `/samples/3/value` → `samples[3].value`. */
const fieldPath = (pointer: string): string =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === "" ? part : `${path}.${part}`), "");

type Complaint = { keyword: string; instancePath: string; message: string; params: object };

const fieldError = (complaint: Complaint): FieldError => {
  const missing = (complaint.params as { requiredProperties?: string[] }).requiredProperties?.[0];
  const own = fieldPath(complaint.instancePath);
  if (complaint.keyword === "boolean") return { path: own, detail: "is not a known member" };
  if (missing === undefined) return { path: own, detail: complaint.message };
  return { path: own === "" ? missing : `${own}.${missing}`, detail: "is required" };
};

/** One complaint a field, the last that the validator makes about it: the outermost, which names all alternatives. */
const fieldErrors = (complaints: readonly Complaint[]): FieldError[] => [
  ...new Map(complaints.map((complaint) => [complaint.instancePath, fieldError(complaint)])).values(),
];

/** Throws Problem 400 with a path and a reason a field. */
export const bodyValidator = (schema: Schema): ((value: unknown) => void) => {
  const compiled = Compile(schema as TSchema);
  return (value) => {
    if (value === undefined) throw new Problem(400, "a JSON body is required");
    if (compiled.Check(value)) return;
    const errors = fieldErrors(compiled.Errors(value));
    const first = errors[0];
    throw new Problem(400, `the body is not as it should be: ${first?.path || "it"} ${first?.detail}`, { errors });
  };
};

/** What a URL can only write as text; anything else stays text, for the schema to refuse. */
const convert = (type: string | undefined, value: unknown): unknown => {
  if (typeof value !== "string") return value;
  if ((type === "integer" || type === "number") && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value)) return Number(value);
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
};

const refuse = (errors: FieldError[]): never => {
  throw new Problem(400, `query parameter ${errors[0]?.path} ${errors[0]?.detail}`, { errors });
};

/** Converts text to the schema's numbers and booleans. An unknown or repeated parameter is refused, not overlooked. */
export const queryReader = (schema: Schema): ((query: Record<string, unknown>) => Record<string, unknown>) => {
  const compiled = Compile(schema as TSchema);
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const known = Object.keys(properties);
  return (query) => {
    const foreign = Object.keys(query).find((name) => !known.includes(name));
    if (foreign !== undefined) {
      refuse([{ path: foreign, detail: `is not one of: ${known.join(", ") || "(none)"}` }]);
    }
    const repeated = Object.keys(query).find((name) => Array.isArray(query[name]));
    if (repeated !== undefined) refuse([{ path: repeated, detail: "may be given once" }]);
    const converted = Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name, convert(properties[name]?.type, value)]),
    );
    if (!compiled.Check(converted)) refuse(fieldErrors(compiled.Errors(converted)));
    return converted;
  };
};

import { dirname, join, normalize, relative } from "node:path";

/** A source file: its path from the repository's root and its text. */
export type Source = { path: string; text: string };

const STAGES = ["ingest", "staging", "windows", "publish", "edits", "query", "ops", "web"];
/** What a folder of src/ may import besides itself (ARCHITECTURE.md). The composition root may import everything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  flow: ["domain"],
  io: ["flow", "domain"],
  ...Object.fromEntries(STAGES.map((stage) => [stage, ["flow", "domain"]])),
};
/** Packages that only one kind of place may know. */
const ONLY_IO = new Set([
  "kafkajs",
  "@platformatic/kafka",
  "pg",
  "pg-copy-streams",
  "hyparquet",
  "hyparquet-writer",
  "fastify",
  "pino",
  "prom-client",
]);
/** Either client behind the Kafka port, and the files that may name it. */
const ONLY_KAFKA: ReadonlyMap<string, RegExp> = new Map([
  ["kafkajs", /^src\/io\/kafka-[a-z-]+\.ts$/],
  ["@platformatic/kafka", /^src\/io\/platformatic-[a-z-]+\.ts$/],
]);

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");

const SPECIFIERS = /\b(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

/** Every module that a file names, static, dynamic, re-exported or for its effects alone. */
export const specifiersOf = (text: string): string[] =>
  [...withoutComments(text).matchAll(SPECIFIERS)].map((match) => match[1] ?? match[2] ?? "");

const folderOf = (path: string): string | null => {
  const [top, folder, file] = path.split("/");
  if (top !== "src") return null;
  return file === undefined ? "app" : (folder ?? null);
};

const faultOf = (source: Source, specifier: string): string | null => {
  const from = folderOf(source.path);
  if (from === null) return null;
  if (!specifier.startsWith(".")) {
    const name = specifier.startsWith("@")
      ? specifier.split("/").slice(0, 2).join("/")
      : (specifier.split("/")[0] ?? "");
    if (from === "domain") return `domain imports nothing, not ${specifier}`;
    if (from !== "io" && ONLY_IO.has(name)) return `${name} is for io alone`;
    const files = ONLY_KAFKA.get(name);
    return files && !files.test(source.path) ? `${name} is for ${files.source} alone` : null;
  }
  const target = normalize(join(dirname(source.path), specifier));
  const to = folderOf(target);
  if (from === "app" || to === from) return null;
  // The stack command of ops loads the stack's own code, which stands outside src.
  if (target.startsWith("stack/")) return from === "ops" ? null : `only ops may load ${target}`;
  if (to === null) return `${relative(".", target)} is outside src`;
  return ALLOWED[from]?.includes(to) ? null : `${from} may not import ${to} (${specifier})`;
};

/** Every import that the layout forbids, as `path: reason`. */
export const forbiddenImports = (sources: readonly Source[]): string[] =>
  sources.flatMap((source) =>
    specifiersOf(source.text).flatMap((specifier) => {
      const fault = faultOf(source, specifier);
      return fault === null ? [] : [`${source.path}: ${fault}`];
    }),
  );

const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|manager|service)(\.|\/|-|$)/;

const lines = (text: string): number => text.trimEnd().split("\n").length;
const codeLines = (text: string): number =>
  withoutComments(text)
    .split("\n")
    .filter((line) => line.trim() !== "").length;

/** Budgets without exemptions (docs/adr/0003-framework-size.md gives the reason for flow's). */
export const BUDGETS = { file: 300, median: 120, flowCode: 1300 };

export const overBudget = (sources: readonly Source[]): string[] => {
  const sizes = sources.map(({ path, text }) => ({ path, lines: lines(text) }));
  const sorted = sizes.map((size) => size.lines).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const flow = sources
    .filter(({ path }) => path.startsWith("src/flow/"))
    .reduce((sum, s) => sum + codeLines(s.text), 0);
  return [
    ...sizes.filter((size) => size.lines > BUDGETS.file).map((size) => `${size.path}: ${size.lines} lines`),
    ...(median > BUDGETS.median ? [`the median file has ${median} lines`] : []),
    ...(flow > BUDGETS.flowCode ? [`flow has ${flow} lines of code`] : []),
    ...sources
      .filter(({ path }) => !path.startsWith("test/") && FORBIDDEN_NAMES.test(path))
      .map(({ path }) => `${path}: a name that says nothing`),
    ...sources.filter(({ path }) => path !== path.toLowerCase()).map(({ path }) => `${path}: names are kebab-case`),
  ];
};

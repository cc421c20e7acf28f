import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SETTINGS } from "../src/config.ts";
import type { Source } from "./support/architecture.ts";
import { BUDGETS, forbiddenImports, overBudget, specifiersOf } from "./support/architecture.ts";

const root = join(import.meta.dirname, "..");
const read = (folder: string): Source[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ path: join(folder, file), text: readFileSync(join(root, folder, file), "utf8") }));

const sources = read("src");

test("I11: domain imports nothing, and no stage imports another or an adapter", () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(forbiddenImports(sources)).toEqual([]);
});

test("the import rules catch each planted violation", () => {
  const planted: [path: string, text: string][] = [
    ["src/domain/a.ts", `import { hash } from "node:crypto";`],
    ["src/domain/a.ts", `import type { Tx } from "../flow/ports.ts";`],
    ["src/domain/a.ts", `const x = await import("left-pad");`],
    ["src/flow/a.ts", `export { x } from "../windows/stage.ts";`],
    ["src/staging/a.ts", `import { commitPane } from "../windows/commit.ts";`],
    ["src/query/a.ts", `import { openObjects } from "../io/objects.ts";`],
    ["src/windows/a.ts", `import pg from "pg";`],
    ["src/io/postgres.ts", `import kafkajs from "kafkajs";`],
    ["src/io/kafka-producer.ts", `import { Producer } from "@platformatic/kafka";`],
    ["src/staging/a.ts", `import { Producer } from "@platformatic/kafka";`],
    ["src/io/a.ts", `import "../staging/stage.ts";`],
    ["src/ingest/a.ts", `import { stackEnv } from "../../test/support/stack.ts";`],
    ["src/publish/a.ts", `import {\n  x,\n} from "../ops/wait.ts";`],
  ];
  for (const [path, text] of planted) expect(forbiddenImports([{ path, text }]), text).toHaveLength(1);
  expect(forbiddenImports([{ path: "src/app.ts", text: `import { x } from "./io/objects.ts";` }])).toEqual([]);
});

test("imports in comments and strings of other words are not taken for imports", () => {
  expect(specifiersOf(`// import x from "y"\n/* import "z" */\nconst from = "a";`)).toEqual([]);
  expect(specifiersOf(`import a, { type B } from "b";\nimport "c";\nexport * from "d";`)).toEqual(["b", "c", "d"]);
});

test("files, the median and the framework stay within their budgets", () => {
  expect(overBudget([...sources, ...read("stack"), ...read("bench"), ...read("test")])).toEqual([]);
});

test("the budgets catch a file, a framework and a name that break them", () => {
  const long = "x;\n".repeat(BUDGETS.file + 1);
  expect(overBudget([{ path: "src/io/a.ts", text: long }])).toHaveLength(2);
  expect(overBudget([{ path: "src/flow/a.ts", text: "x;\n".repeat(BUDGETS.flowCode + 1) }])).toHaveLength(3);
  expect(overBudget([{ path: "src/io/utils.ts", text: "" }])).toHaveLength(1);
});

test("no rule, stage or adapter reads the environment; the stack command only passes it on", () => {
  const readers = sources.filter(({ path, text }) => path.split("/").length > 2 && /process\.env\b/.test(text));
  expect(readers.map(({ path }) => path)).toEqual(["src/ops/stack-command.ts"]);
});

test("every setting is documented in the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const { name } of SETTINGS) expect(readme, name).toContain(name);
});

test("each invariant of ARCHITECTURE.md names tests that are there", () => {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| I\d+ \|/.test(line));
  expect(rows).toHaveLength(11);
  for (const row of rows) {
    const named = [...row.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)];
    expect(named.length, row).toBeGreaterThan(0);
    for (const [, file = "", title = ""] of named)
      expect(readFileSync(join(root, file), "utf8"), file).toContain(title);
  }
});

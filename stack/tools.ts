import { stripVTControlCharacters } from "node:util";
import { run } from "./part.ts";

type Tool = { args: readonly string[]; least: readonly [number, number]; why: string; how: string };

const TOOLS = {
  java: {
    args: ["-version"],
    least: [17, 0],
    why: "Kafka and the schema registry run on Java 17 or newer",
    how: "install a JDK or JRE (Debian: `apt-get install openjdk-17-jre-headless`) and put it on the PATH",
  },
  mvn: {
    args: ["-v"],
    least: [3, 6],
    why: "the jars of Kafka and of the registry are fetched with Maven 3.6 or newer",
    how: "install it (Debian: `apt-get install maven`); it is needed for the first start only",
  },
  go: {
    args: ["version"],
    least: [1, 25],
    why: "the object store versitygw is compiled with Go 1.25 or newer",
    how: "install it from go.dev/dl; it is needed for the first start only",
  },
  tar: { args: ["--version"], least: [0, 0], why: "the registry's archive is unpacked with tar", how: "install tar" },
} as const satisfies Record<string, Tool>;

/** @throws naming the program, why it is needed and what to do, when it is absent or too old. */
export async function requireTool(name: keyof typeof TOOLS): Promise<void> {
  const { args, least, why, how } = TOOLS[name];
  const docker = "Or use Docker instead: `--docker`.";
  let text: string;
  try {
    text = await run(name, args);
  } catch {
    throw new Error(`\`${name}\` does not run here. ${why}: ${how}. ${docker}`);
  }
  const version = firstVersion(text);
  const [major, minor] = version;
  if (major < least[0] || (major === least[0] && minor < least[1])) {
    throw new Error(`\`${name}\` is ${version.join(".")}. ${why}: ${how}. ${docker}`);
  }
}

/** The first `a.b` or lone number of a version text; Java 8 calls itself 1.8, which is below every minimum as it is. */
export function firstVersion(text: string): [number, number] {
  // Maven colours its first line even for a pipe.
  const match = /(\d+)(?:\.(\d+))?/.exec(stripVTControlCharacters(text));
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

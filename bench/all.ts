import { down, up } from "../stack/stack.ts";
import { textTable } from "../src/ops/text-table.ts";
import { PARTS } from "./all-parts.ts";
import { measure } from "./measure.ts";
import type { Say } from "./place.ts";
import { MAIN } from "./worker.ts";

export type Size = "small" | "full";
/** `met`: null where there is no goal, or nothing to compare with on this machine. */
export type Line = {
  id: string;
  figure: string;
  value: string;
  ceiling: string;
  peer: string;
  ratio: string;
  goal: string;
  met: boolean | null;
};
export type AllBench = {
  size: Size;
  only: readonly string[] | undefined;
  /** Programs and files of the peers, where they are there. */
  peers: { importer: string | undefined; postgres: string | undefined; httpfs: string | undefined };
  stack: string | undefined;
  say: Say;
};

const failed = (id: string, name: string, error: unknown): Line => ({
  id,
  figure: name,
  value: `failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 80),
  ceiling: "",
  peer: "",
  ratio: "",
  goal: "",
  met: false,
});

/** Every benchmark in a process of its own, one after the other, on one stack; what fails is a line, and the rest goes on. */
export const benchAll = async ({ size, only, peers, say, stack: given }: AllBench): Promise<Line[]> => {
  const stack = given ?? `bench-all-${process.pid}`;
  await up({ name: stack, docker: "never", say });
  const lines: Line[] = [];
  try {
    for (const { id, name, argv, lines: told, ownStack } of PARTS) {
      if (only && !only.includes(name)) continue;
      const began = Date.now();
      say(`${id} ${name}`);
      const args = ["bench", name, "--json", ...argv(size, peers), ...(ownStack ? [] : ["--stack", stack])];
      try {
        const { stdout } = await measure([MAIN, ...args], process.env);
        lines.push(...told(JSON.parse(stdout) as never).map((line) => ({ id, ...line })));
      } catch (error) {
        lines.push(failed(id, name, error));
      }
      say(`${id} ${name}: ${Math.round((Date.now() - began) / 1000)} s`);
    }
  } finally {
    if (given === undefined) await down(stack, false, say);
  }
  return lines;
};

/** One table of everything, with what was met and what was not. */
export const allText = (lines: readonly Line[]): string => {
  const head = ["id", "figure", "here", "ceiling", "peer", "ratio", "goal", "met"];
  const body = lines.map(({ id, figure, value, ceiling, peer, ratio, goal, met }) => [
    id,
    figure,
    value,
    ceiling,
    peer,
    ratio,
    goal,
    met === null ? "–" : met ? "yes" : "NO",
  ]);
  const goals = lines.filter(({ met }) => met !== null);
  const count = goals.filter(({ met }) => met).length;
  return [...textTable([head, ...body]), "", `${count} of ${goals.length} goals met`].join("\n");
};

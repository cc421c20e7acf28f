import type { OnStep } from "./flow/ports.ts";

/**
 * Fault runs: at the n-th passing of a named step this process kills or stops itself. Otherwise a no-op.
 * A spec is STEP or STEP:N. Throws for a name that no stage announces.
 */
export const failpoints = (
  specs: { kill: string; stop: string },
  known: readonly string[],
  signal: (name: "SIGKILL" | "SIGSTOP") => void = (name) => process.kill(process.pid, name),
): OnStep => {
  const armed = [arm(specs.kill, "SIGKILL", known), arm(specs.stop, "SIGSTOP", known)].filter(
    (point) => point !== null,
  );
  return (step) => {
    for (const point of armed) {
      if (point.step !== step) continue;
      point.left -= 1;
      if (point.left === 0) signal(point.signal);
    }
  };
};

type Armed = { step: string; left: number; signal: "SIGKILL" | "SIGSTOP" };

const arm = (spec: string, signal: Armed["signal"], known: readonly string[]): Armed | null => {
  if (spec === "") return null;
  const [step = "", nth = "1"] = spec.split(":");
  const left = Number(nth);
  if (!known.includes(step)) throw new Error(`no step is called ${step}; there are ${known.join(", ")}`);
  if (!Number.isInteger(left) || left < 1)
    throw new Error(`${spec}: the number after the colon counts passings, from 1`);
  return { step, left, signal };
};

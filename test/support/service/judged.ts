import type { TestContext } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Seeded fault scenarios of this test that the auditor has judged so far: `npm run faults` adds them up. */
    runs?: number;
  }
}

/** Say it once the auditor has judged one more scenario of this test. */
export const judged = ({ task }: Pick<TestContext, "task">): void => {
  task.meta.runs = (task.meta.runs ?? 0) + 1;
};

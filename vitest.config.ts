import { defineConfig } from "vitest/config";

const common = { passWithNoTests: false, allowOnly: false } as const;

/** `unit` needs nothing; `stack` runs against a real Kafka, registry, Postgres and object store (test/global-setup.ts). */
export default defineConfig({
  test: {
    ...common,
    coverage: {
      provider: "v8",
      include: ["src/domain/**", "src/flow/**"],
      reportsDirectory: ".cache/coverage",
      reporter: ["text-summary"],
      // Rules and framework are covered whole, without ignore comments.
      thresholds: { statements: 100, branches: 100, functions: 100, lines: 100 },
    },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/*.test.ts", "test/{domain,flow,pure}/**/*.test.ts"],
          // Properties take their time where two cores are shared; nothing here waits for anything.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "stack",
          include: ["test/{contract,integration,e2e,faults}/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // What is polled for comes in its time; two shared cores decide when.
          expect: { poll: { timeout: 30_000 } },
          maxWorkers: 2,
        },
      },
    ],
  },
});

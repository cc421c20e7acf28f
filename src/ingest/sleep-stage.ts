/** HealthKit's values of a sleep segment by the names that clients give them, with or without "asleep" (§2). */
const STAGES = {
  inbed: 0,
  asleep: 1,
  asleepunspecified: 1,
  awake: 2,
  core: 3,
  asleepcore: 3,
  deep: 4,
  asleepdeep: 4,
  rem: 5,
  asleeprem: 5,
};

/** Reads a stage by those names and a client's `own`, whatever case and spaces; what is none stays as it was sent, to be refused. */
export const stageReader = (own: Readonly<Record<string, number>>): ((sent: unknown) => unknown) => {
  const stages = new Map(Object.entries({ ...STAGES, ...own }));
  return (sent) =>
    typeof sent === "string" ? (stages.get(sent.toLowerCase().replaceAll(/[^a-z]/g, "")) ?? sent) : sent;
};

import type { Connections } from "./app.ts";
import { systemClock } from "./app.ts";
import { kafkaAdvice } from "./io/kafka-advice.ts";
import { registryAdvice } from "./io/registry-advice.ts";
import { type Examination, examinations } from "./ops/doctor.ts";

/** Reads every setting that `serve` needs; throws at the first that is missing or wrong. */
const readAll = ({ config }: Connections): void => {
  void [config.brokers, config.registryUrl, config.databaseUrl, config.objects, config.authSecret, config.port];
};

type Opened = { all: Examination[]; close(): Promise<void> };

/** What `health-sync doctor` looks at. Where a setting is missing that everything stands on, it is the one finding. */
export const openDoctor = (connected: () => Connections): Opened => {
  try {
    return opened(connected());
  } catch (error) {
    const said = error instanceof Error ? error : new Error(String(error));
    return { all: [{ part: "settings", examine: () => Promise.reject(said) }], close: () => Promise.resolve() };
  }
};

const opened = (connections: Connections): Opened => {
  const { kafka, registry, declared } = connections;
  const db = connections.openDatabase(2);
  const objects = connections.openObjects();
  const all = examinations({
    settings: () => readAll(connections),
    db,
    logInfo: kafka.logInfo(),
    kafkaAdvice,
    registryAdvice,
    ports: { topics: kafka.topics(), subjects: registry },
    declared,
    registry: () => registry.subject(declared[0]?.subject ?? ""),
    objects,
    now: () => systemClock.now(),
  });
  const close = async (): Promise<void> => {
    objects.close();
    await db.close();
  };
  return { all, close };
};

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { REGISTRY_VERSION } from "./artifacts.ts";
import { tidyJvm, type Part, type PartInput } from "./part.ts";

/** Apicurio with its schemas in Postgres: ids survive a restart, as the records that carry them do. */
export function registry({ state, artifacts, logDir }: PartInput): Part {
  const dir = join(state.dataDir, "registry");
  return {
    name: "registry",
    version: REGISTRY_VERSION,
    after: ["postgres"],
    async prepare() {
      mkdirSync(dir, { recursive: true });
    },
    launch: () => ({
      command: "java",
      args: [
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        ...tidyJvm(dir),
        "-jar",
        join(artifacts.registry, `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`),
      ],
      cwd: dir,
      log: join(logDir, "registry.log"),
      env: {
        APICURIO_STORAGE_KIND: "sql",
        APICURIO_STORAGE_SQL_KIND: "postgresql",
        APICURIO_DATASOURCE_URL: `jdbc:postgresql://127.0.0.1:${state.ports.postgres}/registry`,
        APICURIO_DATASOURCE_USERNAME: "postgres",
        APICURIO_DATASOURCE_PASSWORD: "unused",
        APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "2",
        APICURIO_DATASOURCE_JDBC_MIN_SIZE: "1",
        APICURIO_DATASOURCE_JDBC_MAX_SIZE: "10",
        // Asks a pooled connection whether it lives before using it: Postgres may have been restarted.
        QUARKUS_DATASOURCE_POSTGRESQL_JDBC_FOREGROUND_VALIDATION_INTERVAL: "0.001S",
        QUARKUS_DATASOURCE_POSTGRESQL_JDBC_BACKGROUND_VALIDATION_INTERVAL: "1S",
        QUARKUS_HTTP_HOST: "127.0.0.1",
        QUARKUS_HTTP_PORT: String(state.ports.registry),
      },
    }),
  };
}

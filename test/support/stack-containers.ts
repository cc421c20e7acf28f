import { DockerComposeEnvironment, Wait } from "testcontainers";
import { composeEnvironment } from "../../stack/docker.ts";
import { environmentOf, type StackEnvironment } from "../../stack/environment.ts";
import { packageRoot } from "../../stack/layout.ts";
import { USUAL_PORTS, pickPorts } from "../../stack/ports.ts";
import { WORKS } from "../../stack/probe.ts";
import { newState } from "../../stack/stack.ts";
import { forgetState, PARTS, writeState } from "../../stack/state.ts";

/** docker-compose.yml run by testcontainers, which also removes it when this process dies. Fault tests can control its parts. */
export async function containers(): Promise<{ env: StackEnvironment; stop(): Promise<void> }> {
  const state = await newState("test-docker", {}, "docker");
  state.ports = await pickPorts(USUAL_PORTS);
  let compose = new DockerComposeEnvironment(packageRoot, "docker-compose.yml")
    .withProjectName(`health-sync-${state.name}`)
    .withEnvironment(composeEnvironment(state.ports))
    .withStartupTimeout(180_000);
  for (const part of PARTS) compose = compose.withWaitStrategy(`${part}-1`, Wait.forHealthCheck());
  const started = await compose.up();
  writeState(state);
  const env = environmentOf(state);
  await Promise.all(PARTS.map((part) => WORKS[part](env)));
  return {
    env,
    async stop() {
      forgetState(state.name);
      await started.down({ removeVolumes: true });
    },
  };
}

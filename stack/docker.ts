import { join } from "node:path";
import { packageRoot } from "./layout.ts";
import { run, type Say } from "./part.ts";
import type { Ports, StackState } from "./state.ts";

/** How Docker is chosen: where it can serve, always, or not at all. */
export type DockerWish = "auto" | "force" | "never";

export const COMPOSE_FILE: string = join(packageRoot, "docker-compose.yml");

/** Undefined when the images of docker-compose.yml can be run here, else the reason why not. Pulls what is missing. */
export async function whyNotDocker(say: Say): Promise<string | undefined> {
  try {
    await run("docker", ["info"]);
  } catch {
    return "no Docker engine answers (`docker info` fails)";
  }
  try {
    await run("docker", ["compose", "version"]);
  } catch {
    return "Docker has no Compose plugin (`docker compose version` fails)";
  }
  const images = (await run("docker", ["compose", "-f", COMPOSE_FILE, "config", "--images"]))
    .split("\n")
    .filter(Boolean);
  for (const image of images) {
    if (await has(image)) continue;
    say(`pulling ${image}`);
    try {
      await run("docker", ["pull", "--quiet", image]);
    } catch {
      return `the image ${image} is not there and cannot be pulled`;
    }
  }
  return undefined;
}

async function has(image: string): Promise<boolean> {
  try {
    await run("docker", ["image", "inspect", image]);
    return true;
  } catch {
    return false;
  }
}

/** Host ports for docker-compose.yml. */
export function composeEnvironment(ports: Ports): Record<string, string> {
  return {
    HEALTH_SYNC_KAFKA_PORT: String(ports.kafka),
    HEALTH_SYNC_REGISTRY_PORT: String(ports.registry),
    HEALTH_SYNC_POSTGRES_PORT: String(ports.postgres),
    HEALTH_SYNC_OBJECTS_PORT: String(ports.objects),
  };
}

/** `docker compose` on the containers of one stack. */
export async function composeControl(state: StackState, args: readonly string[]): Promise<void> {
  const project = ["-p", `health-sync-${state.name}`, "-f", COMPOSE_FILE];
  await run("docker", ["compose", ...project, ...args], { env: composeEnvironment(state.ports) });
}

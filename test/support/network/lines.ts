import { random } from "../../../bench/generator/random.ts";
import { SEED } from "../service/fault-input.ts";
import type { Isolated } from "../stack.ts";
import { httpLine } from "./http-line.ts";
import { tcpLine } from "./tcp-line.ts";

/** The four links of the service, by the setting that says where each leads. */
export const LINKS = {
  kafka: "KAFKA_BROKERS",
  postgres: "DATABASE_URL",
  registry: "SCHEMA_REGISTRY_URL",
  objects: "S3_ENDPOINT",
} as const;
export type Link = keyof typeof LINKS;

const addressIn = (setting: string): string => (setting.includes("//") ? new URL(setting).host : setting);

/** A TCP line on one link: the service takes `env`, whoever watches it goes straight. */
export const tcpLineOn = async (here: Isolated, link: Link) => {
  const setting = here.env[LINKS[link]];
  const target = addressIn(setting);
  const dice = random(SEED, `weather on ${link}`);
  const line = await tcpLine(target, { random: () => dice.unit(), tellsAddress: link === "kafka" });
  return { ...line, env: { [LINKS[link]]: setting.replace(target, line.address) } };
};

/** The same on a link that speaks HTTP. */
export const httpLineOn = async (here: Isolated, link: "registry" | "objects") => {
  const setting = here.env[LINKS[link]];
  const target = addressIn(setting);
  const line = await httpLine(target);
  return { ...line, env: { [LINKS[link]]: setting.replace(target, line.address) } };
};

import { readFileSync } from "node:fs";
import type { KafkaConfig, SASLOptions } from "kafkajs";

/** How brokers are reached; file names, not contents. */
export type KafkaSecurity = {
  ssl: boolean;
  /** Certificates that the brokers' must be signed by, instead of the system's. */
  ca: string;
  /** Of this client, where brokers ask for one. */
  cert: string;
  key: string;
  sasl: { mechanism: string; username: string; password: string } | null;
};

export const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;

/** The client's options. Throws what is wrong with the settings. */
export const securityOptions = (
  { ssl, ca, cert, key, sasl }: KafkaSecurity,
  read: (file: string) => string = (file) => readFileSync(file, "utf8"),
): Pick<KafkaConfig, "ssl" | "sasl"> => {
  if (!ssl && (ca !== "" || cert !== "" || key !== "")) {
    throw new Error("KAFKA_SSL_CA, KAFKA_SSL_CERT and KAFKA_SSL_KEY need KAFKA_SSL=true");
  }
  if ((cert === "") !== (key === "")) throw new Error("KAFKA_SSL_CERT and KAFKA_SSL_KEY belong together: set both");
  const mechanism = SASL_MECHANISMS.find((known) => known === sasl?.mechanism);
  if (sasl && mechanism === undefined) {
    throw new Error(`KAFKA_SASL_MECHANISM=${sasl.mechanism}: choose from ${SASL_MECHANISMS.join(", ")}`);
  }
  if (sasl && (sasl.username === "" || sasl.password === "")) {
    throw new Error("KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD");
  }
  // PLAIN hands the password over as it is.
  if (mechanism === "plain" && !ssl) throw new Error("KAFKA_SASL_MECHANISM=plain needs KAFKA_SSL=true");
  const files = {
    ...(ca === "" ? {} : { ca: [read(ca)] }),
    ...(cert === "" ? {} : { cert: read(cert), key: read(key) }),
  };
  return {
    ...(ssl ? { ssl: Object.keys(files).length > 0 ? files : true } : {}),
    ...(sasl ? { sasl: { mechanism, username: sasl.username, password: sasl.password } as SASLOptions } : {}),
  };
};

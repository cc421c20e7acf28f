/** Where the stores are: the names of the contract's §7, as `stack up` prints them. */
export type AuditEnvironment = {
  kafkaBrokers: string[];
  registryUrl: string;
  databaseUrl: string;
  topicPrefix: string;
  s3: { endpoint: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string };
};

export const auditEnvironment = (env: Record<string, string | undefined>): AuditEnvironment => {
  const need = (name: string): string => {
    const value = env[name];
    if (!value)
      throw new Error(`${name} is not set: run the audit with the variables that \`health-sync stack up\` prints`);
    return value;
  };
  return {
    kafkaBrokers: need("KAFKA_BROKERS").split(","),
    registryUrl: need("SCHEMA_REGISTRY_URL").replace(/\/$/, ""),
    databaseUrl: need("DATABASE_URL"),
    topicPrefix: env["TOPIC_PREFIX"] ?? "",
    s3: {
      endpoint: need("S3_ENDPOINT"),
      bucket: env["S3_BUCKET"] ?? "health-sync",
      region: env["S3_REGION"] ?? "us-east-1",
      accessKeyId: need("AWS_ACCESS_KEY_ID"),
      secretAccessKey: need("AWS_SECRET_ACCESS_KEY"),
    },
  };
};

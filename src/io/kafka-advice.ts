/** Brokers do not say what they expect of a client: they hang up. First fit counts. */
const KNOWN: readonly (readonly [words: RegExp, advice: string])[] = [
  [
    /before secure TLS connection|wrong version number/i,
    "there is no TLS at that address: name the brokers' TLS listener in KAFKA_BROKERS, or leave KAFKA_SSL out",
  ],
  [/not match certificate|altnames/i, "name the brokers in KAFKA_BROKERS as their certificates do"],
  [/self-signed|unable to (?:verify|get)/i, "set KAFKA_SSL_CA to the file with the CA of the brokers' certificates"],
  [/requested SASL mechanism/i, "the brokers offer another KAFKA_SASL_MECHANISM"],
  [/authentication failed/i, "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"],
  [
    /^closed connection$/i,
    "the broker hung up: where it listens by TLS set KAFKA_SSL=true, where it asks for a login KAFKA_SASL_MECHANISM",
  ],
];

/** What to do about a connection that fails with these words; undefined where they do not tell. */
export const kafkaAdvice = (says: string): string | undefined => KNOWN.find(([words]) => words.test(says))?.[1];

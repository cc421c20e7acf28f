/** By what a failed question says. First fit counts. */
const KNOWN: readonly (readonly [words: RegExp, advice: string])[] = [
  [/answered 401/, "set SCHEMA_REGISTRY_AUTH to user:password as the registry knows them"],
  [/answered 403/, "let the user of SCHEMA_REGISTRY_AUTH read and write our subjects"],
  [
    /self-signed|unable to (?:verify|get)/i,
    "set SCHEMA_REGISTRY_CA to the file with the CA of the registry's certificate",
  ],
  [/not match certificate|altnames/i, "name the registry in SCHEMA_REGISTRY_URL as its certificate does"],
  [
    /wrong version number|packet length too long/i,
    "there is no TLS at that address: write http:// in SCHEMA_REGISTRY_URL",
  ],
  [/socket hang up|ECONNRESET/, "the registry hung up: where it listens by TLS write https:// in SCHEMA_REGISTRY_URL"],
];

/** What to do about a registry that cannot be asked, by these words; undefined where they do not tell. */
export const registryAdvice = (says: string): string | undefined => KNOWN.find(([words]) => words.test(says))?.[1];

import { randomBytes } from "node:crypto";
import { down, up } from "../stack/stack.ts";
import { openDatabase } from "../src/io/postgres.ts";

export type Say = (line: string) => void;

/** An environment for `serve` and commands: a new database, topics and bucket on a real stack. */
export type Place = { env: NodeJS.ProcessEnv; say: Say };

/**
 * Works on a stack of its own, new and removed afterwards; or, where one is named, in a corner of that one, which is left
 * running. The database goes away either way.
 */
export const inPlace = async <T>(
  { stack, say }: { stack: string | undefined; say: Say },
  work: (place: Place) => Promise<T>,
): Promise<T> => {
  const name = stack ?? `bench-${process.pid}`;
  const known = await up({ name, docker: "never", say });
  const mark = `bench${randomBytes(4).toString("hex")}`;
  const admin = openDatabase({ url: known.DATABASE_URL, max: 1 });
  try {
    await admin.query(`create database ${mark}`);
    const url = new URL(known.DATABASE_URL);
    url.pathname = `/${mark}`;
    const corner = { DATABASE_URL: url.href, S3_BUCKET: mark, TOPIC_PREFIX: `${mark}.`, PORT: "0" };
    return await work({ env: { ...process.env, ...known, LOG_LEVEL: "info", ...corner }, say });
  } finally {
    await admin.query(`drop database if exists ${mark} with (force)`).catch(() => undefined);
    await admin.close();
    if (stack === undefined) await down(name, false, say);
  }
};

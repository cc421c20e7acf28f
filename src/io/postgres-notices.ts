import { randomUUID } from "node:crypto";
import { Client } from "pg";
import type { News } from "../flow/ports.ts";
import { inTime } from "../flow/in-time.ts";
import { backOff, pause } from "../flow/retry.ts";

const ECHO_CHANNEL = "health_sync_echo";
export const channelOf = (news: News): string => `health_sync_${news}`;

/** How often it is proved that announcements arrive; a line that is half open is noticed by then. */
const PROVE_MS = 15_000;
const ECHO_MS = 5_000;
/** Behind a pooler that hands connections on nothing ever arrives: asked again now and then. */
const DEAF_MS = 60_000;
const ENDING_MS = 1_000;

type Ask = (text: string, params: readonly unknown[]) => Promise<unknown>;
type Announcer = { announce: (news: Iterable<News>) => void; sent: () => Promise<void> };

/** Announcements close to each other are one. */
const GATHER_MS = 20;

/**
 * Says what was committed, in a statement of its own: Postgres lets only one transaction that notifies commit at a time, and
 * one that writes nothing is done without waiting for the disk. What is lost with the process or the line is found by
 * whoever polls besides.
 */
export const announcer = (ask: Ask): Announcer => {
  const waiting = new Set<News>();
  let sending: Promise<void> | null = null;
  const send = async (): Promise<void> => {
    while (waiting.size > 0) {
      const channels = [...waiting].map(channelOf);
      waiting.clear();
      await ask(`select pg_notify(c, '') from unnest($1::text[]) as t(c)`, [channels]).catch(() => undefined);
      await pause(GATHER_MS);
    }
    sending = null;
  };
  return {
    announce: (news) => {
      for (const one of news) waiting.add(one);
      if (waiting.size > 0) sending ??= send();
    },
    sent: () => sending ?? Promise.resolve(),
  };
};

export type Notices = {
  /** Whether what is announced arrives here now. */
  heard(): boolean;
  close(): Promise<void>;
};

export type NoticesOptions = {
  url: string;
  application_name: string;
  /** Goes over another connection, as those of whoever announces. */
  ask: Ask;
  log: (event: string, fields: Record<string, unknown>) => void;
};

/** Resolves when the line is lost or an echo did not come. `heard` is called with each that came. */
const listenOnce = async (
  { url, application_name, ask }: NoticesOptions,
  told: ReadonlyMap<string, () => void>,
  { heard, signal }: { heard: () => void; signal: AbortSignal },
): Promise<void> => {
  const client = new Client({
    connectionString: url,
    application_name,
    keepAlive: true,
    connectionTimeoutMillis: 8000,
  });
  const lost = new AbortController();
  let echo: (() => void) | null = null;
  client.on("error", () => lost.abort());
  client.on("end", () => lost.abort());
  client.on("notification", ({ channel, payload }) => {
    if (channel !== ECHO_CHANNEL) told.get(channel)?.();
    else if (payload === mark) echo?.();
  });
  const mark = randomUUID();
  const over = AbortSignal.any([signal, lost.signal]);
  try {
    await client.connect();
    for (const channel of [ECHO_CHANNEL, ...told.keys()]) await client.query(`listen ${channel}`);
    while (!over.aborted) {
      const came = new AbortController();
      echo = () => came.abort();
      await ask(`select pg_notify($1, $2)`, [ECHO_CHANNEL, mark]);
      await pause(ECHO_MS, AbortSignal.any([over, came.signal]));
      if (!came.signal.aborted) return;
      heard();
      await pause(PROVE_MS, over);
    }
  } finally {
    // A line that is half open is not waited for; nor does a timer that is left hold up the end of the process.
    await inTime(ENDING_MS)(() => client.end());
  }
};

/**
 * Listens to announcements on a connection of its own. That they arrive is proved by an echo, because behind a pooler in
 * transaction mode `listen` succeeds and nothing ever comes. Each is called too whenever hearing begins (again): what was
 * announced before was missed.
 */
export const listenTo = (options: NoticesOptions, calls: Partial<Record<News, () => void>>): Notices => {
  const told = new Map(Object.entries(calls).map(([news, call]) => [channelOf(news as News), call]));
  const ending = new AbortController();
  let hearing = false;
  const heard = (): void => {
    if (hearing) return;
    hearing = true;
    for (const call of told.values()) call();
  };
  const listen = async (): Promise<void> => {
    for (let attempt = 0; !ending.signal.aborted; attempt += 1) {
      const error = await listenOnce(options, told, { heard, signal: ending.signal }).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (ending.signal.aborted) return;
      const deaf = error === null && !hearing;
      if (hearing || attempt === 0) options.log("postgres_notices_lost", { deaf, error: String(error) });
      if (hearing) attempt = 0;
      hearing = false;
      await pause(deaf ? DEAF_MS : backOff(attempt, Math.random()), ending.signal);
    }
  };
  const done = listen();
  return {
    heard: () => hearing,
    close: async () => {
      ending.abort();
      await done;
    },
  };
};

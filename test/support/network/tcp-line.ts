import net, { type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { renaming, type Renaming } from "./renaming.ts";

/** From the client to the server, and back. */
export type Way = "up" | "down";

/** What a line does to what it carries. Nothing set: it carries everything at once. */
export type Weather = {
  /** Every piece waits so long, and up to `jitterMs` longer; order is kept, as TCP keeps it. */
  latencyMs?: number;
  jitterMs?: number;
  /** Each way of each connection. */
  bytesPerSecond?: number;
  /** A one-way cut: what goes this way waits until the weather changes, as TCP sends again what nobody acknowledges. */
  held?: Way;
  /** Half-open: connections fall silent for good, without an end that either side could see. Later ones work again. */
  silent?: boolean;
  /** Every connection is reset somewhere within its next so many bytes; 0: at once. */
  cutWithin?: number;
};

export type TcpLine = {
  address: string;
  /** From now on; connections that fell silent stay so. */
  weather(next: Weather): void;
  /** What came to the line so far, bytes and new connections, whether it was handed on or not. */
  seen(): number;
  /** How often the server's own address was replaced by the line's in what it said. */
  renamed(): number;
  close(): void;
};

type Connection = { near: Socket; far: Socket; silent: boolean; left: number };
type Line = {
  now: Weather;
  changed: PromiseWithResolvers<void>;
  open: Set<Connection>;
  random: () => number;
  seen: number;
  renamed: number;
};

/** Bytes a second are handed on in so many portions. */
const PORTIONS = 10;

const reset = ({ near, far }: Connection): void => {
  near.resetAndDestroy();
  far.resetAndDestroy();
};

/** The weather as a connection meets it. */
const meet = ({ now, random }: Line, connection: Connection): void => {
  connection.left = now.cutWithin === undefined ? Infinity : Math.floor(random() * now.cutWithin);
  if (now.silent) connection.silent = true;
  if (now.cutWithin === 0) reset(connection);
};

const handOn = async (connection: Connection, to: Socket, bytes: Buffer): Promise<void> => {
  if (connection.silent) return;
  const isWhole = bytes.length < connection.left;
  const piece = isWhole ? bytes : bytes.subarray(0, connection.left);
  connection.left -= piece.length;
  // Volumes are small: what a slow reader leaves waits in memory.
  if (!to.destroyed) to.write(piece);
  if (isWhole) return;
  await sleep(1);
  reset(connection);
};

const released = async (line: Line, way: Way): Promise<void> => {
  while (line.now.held === way) await line.changed.promise;
};

const pass = async (line: Line, connection: Connection, [way, bytes]: [Way, Buffer]): Promise<void> => {
  await released(line, way);
  const wait = (line.now.latencyMs ?? 0) + line.random() * (line.now.jitterMs ?? 0);
  if (wait > 0) await sleep(wait);
  const to = way === "up" ? connection.far : connection.near;
  for (let at = 0; at < bytes.length;) {
    const rate = line.now.bytesPerSecond;
    const end = rate === undefined ? bytes.length : at + Math.ceil(rate / PORTIONS);
    await handOn(connection, to, bytes.subarray(at, end));
    at = end;
    if (rate !== undefined) await sleep(1000 / PORTIONS);
  }
};

const carry = async (line: Line, connection: Connection, [way, rename]: [Way, Renaming | null]): Promise<void> => {
  const [from, to] = way === "up" ? [connection.near, connection.far] : [connection.far, connection.near];
  try {
    for await (const bytes of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      line.seen += bytes.length;
      const said = rename === null ? bytes : rename.pass(bytes);
      if (!connection.silent) await pass(line, connection, [way, said]);
    }
    await released(line, way);
    if (!connection.silent) to.end();
  } catch {
    // One side broke off: so does the other, unless nobody can tell it.
    if (!connection.silent) reset(connection);
  }
};

const join = (line: Line, [near, far]: [Socket, Socket], rename: Renaming | null): void => {
  const connection: Connection = { near, far, silent: false, left: Infinity };
  line.open.add(connection);
  line.seen += 1;
  for (const socket of [near, far]) {
    socket.setNoDelay(true).on("error", () => undefined);
    socket.on("close", () => {
      if (near.destroyed && far.destroyed) line.open.delete(connection);
    });
  }
  meet(line, connection);
  void carry(line, connection, ["up", null]);
  void carry(line, connection, ["down", rename]);
};

/**
 * A line to `target` (host:port) through which a client reaches it; clear weather at first. `tellsAddress`: the server
 * tells its address to clients, as Kafka does, and they are told the line's instead.
 */
export const tcpLine = async (
  target: string,
  options: { random: () => number; tellsAddress?: boolean },
): Promise<TcpLine> => {
  const [host = "", text = ""] = target.split(":");
  const port = Number(text);
  const line: Line = {
    now: {},
    changed: Promise.withResolvers(),
    open: new Set(),
    random: options.random,
    seen: 0,
    renamed: 0,
  };
  const found = (): void => void (line.renamed += 1);
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const own = (server.address() as AddressInfo).port;
    const far = net.connect({ host, port, allowHalfOpen: true });
    join(line, [near, far], options.tellsAddress ? renaming(host, [port, own], found) : null);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const weather = (next: Weather): void => {
    line.now = next;
    line.changed.resolve();
    line.changed = Promise.withResolvers();
    for (const connection of line.open) meet(line, connection);
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    weather,
    seen: () => line.seen,
    renamed: () => line.renamed,
    close() {
      weather({ cutWithin: 0 });
      server.close();
    },
  };
};

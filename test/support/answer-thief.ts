import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import type { AddressInfo, Socket, TcpNetConnectOpts } from "node:net";

/** Kafka's number for Produce requests. */
const PRODUCE = 0;

/** Of the requests that begin in a chunk: four bytes of length, then two of the key. */
function apiKeys(chunk: Buffer): number[] {
  const keys: number[] = [];
  for (let at = 0; at + 6 <= chunk.length; at += 4 + Math.max(0, chunk.readInt32BE(at))) {
    keys.push(chunk.readInt16BE(at + 4));
  }
  return keys;
}

const lead = (connect: typeof net.connect): void => {
  net.connect = connect;
  net.createConnection = connect;
  syncBuiltinESMExports();
};

/**
 * Between this process and a broker: lets a Produce request through and, when `steal` says so, cuts the line before its answer.
 * Connections of this process to the broker's port go through it until `stop`.
 */
export async function answerThief(broker: string, steal: () => boolean): Promise<{ stolen(): number; stop(): void }> {
  const [host = "", port = ""] = broker.split(":");
  const straight = net.connect;
  const open = new Set<Socket>();
  let stolen = 0;
  const proxy = net.createServer((near) => {
    const far: Socket = straight({ host, port: Number(port) });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    near.on("data", (chunk) => {
      const marked = apiKeys(chunk).filter((apiKey) => apiKey === PRODUCE && steal());
      if (marked.length > 0) {
        stolen += marked.length;
        far.unpipe(near);
        // The broker has written it by then; only the answer is lost.
        setTimeout(() => (near.destroy(), far.destroy()), 100);
      }
      far.write(chunk);
    });
    near.on("end", () => far.end());
    far.pipe(near);
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const { port: detour } = proxy.address() as AddressInfo;
  // Called with options and a listener only: by kafkajs as connect, by platformatic under its other name.
  const detoured = (options: TcpNetConnectOpts, connected?: () => void): Socket =>
    straight(options.port === Number(port) ? { ...options, host: "127.0.0.1", port: detour } : options, connected);
  lead(detoured as typeof net.connect);
  return {
    stolen: () => stolen,
    stop() {
      lead(straight);
      for (const socket of open) socket.destroy();
      proxy.close();
    },
  };
}

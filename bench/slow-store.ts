import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type SlowStore = { endpoint: URL; asked: { requests: number; bytes: number }; close: () => Promise<void> };

/**
 * The object store behind so many milliseconds a request, for clients that are not ours. Requests go on as they came,
 * their Host too, so that signatures hold.
 */
export const slowStore = async (to: URL, delayMs: number): Promise<SlowStore> => {
  const asked = { requests: 0, bytes: 0 };
  const server = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    asked.requests += 1;
    const pass = async (): Promise<void> => {
      if (delayMs > 0) await sleep(delayMs);
      const onward = request({ host: to.hostname, port: to.port, method, path: url, headers }, (from) => {
        answer.writeHead(from.statusCode ?? 502, from.headers);
        from.on("data", (some: Buffer) => void (asked.bytes += some.length));
        from.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      incoming.pipe(onward);
    };
    void pass();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { endpoint: new URL(`http://127.0.0.1:${port}`), asked, close };
};

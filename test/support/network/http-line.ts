import { createServer, request as open, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

type Answer = { status: number; headers: IncomingMessage["headers"]; body: Buffer };
export type Asked = { method: string; path: string };

/** What happens to one request instead of being handed on and answered. `forward` has the server do it. */
export type Mishap = (forward: () => Promise<Answer>, response: ServerResponse) => Promise<void> | void;

const reply = (response: ServerResponse, { status, headers, body }: Answer): void =>
  void response.writeHead(status, headers).end(body);

/** The request never gets there, and is answered so. */
export const refused =
  (status: number, body = "", type = "application/xml"): Mishap =>
  (_, response) =>
    reply(response, { status, headers: { "content-type": type }, body: Buffer.from(body) });
/** The server does it, and the client is told otherwise. */
export const denied =
  (status: number, body = ""): Mishap =>
  async (forward, response) => {
    await forward();
    reply(response, { status, headers: { "content-type": "application/xml" }, body: Buffer.from(body) });
  };
export const requestLost: Mishap = (_, response) => void response.socket?.resetAndDestroy();
/** The server does it, and the client never hears of it. */
export const answerLost: Mishap = async (forward, response) => {
  await forward();
  response.socket?.resetAndDestroy();
};
/** No answer, no end: until somebody gives up. */
export const unanswered: Mishap = () => undefined;
/** The whole length is announced, half of the body comes. */
export const halfBody: Mishap = async (forward, response) => {
  const { status, headers, body } = await forward();
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
};
export const delayed =
  (ms: number): Mishap =>
  async (forward, response) => {
    await sleep(ms);
    reply(response, await forward());
  };
const bytesOf = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

export type HttpLine = {
  address: string;
  /** From now on: which mishap, if any, each request meets. */
  script(next: (asked: Asked) => Mishap | null): void;
  /** Requests that met a mishap. */
  hits(): number;
  close(): void;
};

/** A line to an HTTP server (host:port). Headers go on as they are: requests to S3 are signed with the line's address. */
export const httpLine = async (target: string): Promise<HttpLine> => {
  const [host, port] = target.split(":");
  let hits = 0;
  let scripted: ((asked: Asked) => Mishap | null) | undefined;
  const forward = (request: IncomingMessage, body: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, url: path, headers } = request;
      const onward = open({ host, port, method, path, headers, agent: false }, (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      onward.on("error", reject);
      onward.end(body);
    });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bytesOf(request);
    const mishap = scripted?.({ method: request.method ?? "", path: request.url ?? "" });
    if (!mishap) return reply(response, await forward(request, body));
    hits += 1;
    await mishap(() => forward(request, body), response);
  };
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    script(next) {
      scripted = next;
    },
    hits: () => hits,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};

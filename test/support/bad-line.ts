import { createServer, type IncomingMessage, request as open, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

const bytesOf = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

const forward = (target: string, request: IncomingMessage, body: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { ...request.headers, host: new URL(target).host };
    const onward = open(target + (request.url ?? ""), { method: request.method, headers }, (answer) => {
      bytesOf(answer).then(
        (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
        reject,
      );
    });
    onward.on("error", reject);
    onward.end(body);
  });

export type Mishap = "request lost" | "answer lost" | "doubled" | "overtaken" | "503" | "429" | "500";
const MISHAPS: readonly [Mishap, share: number][] = [
  ["request lost", 0.1],
  ["answer lost", 0.15],
  ["doubled", 0.1],
  ["overtaken", 0.1],
  ["503", 0.06],
  ["429", 0.06],
  ["500", 0.03],
];

/** A line between a client and the service on which about six requests in ten have a mishap. */
export const badLine = async (target: string, random: () => number) => {
  const counts = new Map<Mishap, number>();
  const later = new Set<Promise<unknown>>();
  const mishapOf = (): Mishap | null => {
    let dice = random();
    for (const [mishap, share] of MISHAPS) if ((dice -= share) < 0) return mishap;
    return null;
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bytesOf(request);
    const mishap = mishapOf();
    if (mishap) counts.set(mishap, (counts.get(mishap) ?? 0) + 1);
    if (mishap === "request lost") return void request.socket.destroy();
    if (mishap === "503" || mishap === "429" || mishap === "500") {
      return void response.writeHead(Number(mishap), { "retry-after": "0" }).end("{}");
    }
    if (mishap === "overtaken") {
      // A copy that was slow on its way comes after what was sent later.
      const slow = new Promise((resolve) => setTimeout(resolve, 400)).then(() => forward(target, request, body));
      later.add(slow.catch(() => undefined));
    }
    const answers = await Promise.all(
      Array.from({ length: mishap === "doubled" ? 2 : 1 }, () => forward(target, request, body)),
    );
    if (mishap === "answer lost") return void request.socket.destroy();
    const answer = answers[0] as Answer;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer(
    (request, response) => void handle(request, response).catch(() => request.socket.destroy()),
  );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    /** Until everything that was held back has arrived. */
    settled: () => Promise.all(later),
    close: () => server.close(),
  };
};

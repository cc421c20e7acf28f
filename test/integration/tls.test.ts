import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { TLSSocket, createSecureContext, createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openObjects } from "../../src/io/objects.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { isolated } from "../support/stack.ts";

// Of tests only, made for localhost and 127.0.0.1: it protects nothing.
const CA = fileURLToPath(new URL("../support/tls/cert.pem", import.meta.url));
const secure = { cert: readFileSync(CA), key: readFileSync(new URL("../support/tls/key.pem", import.meta.url)) };

const here = await isolated("tls");
const sockets = new Set<Socket>();
const servers: Server[] = [];
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

const join = (client: Socket, to: { port: number; host: string }): void => {
  const upstream = connect(to.port, to.host);
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }
  client.pipe(upstream).pipe(client);
};

const listening = async (server: Server): Promise<number> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

const target = (url: string): { port: number; host: string } => ({
  port: Number(new URL(url).port),
  host: new URL(url).hostname,
});

/** TLS in front of the real Postgres, begun as its protocol has it: a request of eight bytes, answered by "S". */
const postgresByTls = (): Promise<number> =>
  listening(
    createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write("S");
        const server = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(secure) });
        server.on("error", () => undefined);
        server.once("secure", () => join(server, target(here.databaseUrl)));
      });
    }),
  );

test("Postgres is reached by TLS, and not where the certificate is signed by somebody else", async () => {
  const url = new URL(here.databaseUrl);
  url.port = String(await postgresByTls());
  const ask = async (query: string): Promise<unknown> => {
    const db = openDatabase({ url: `${url.href}${query}`, max: 1 });
    try {
      return await db.query(`select count(*) as n from athletes`);
    } finally {
      await db.close();
    }
  };
  expect(await ask(`?sslmode=verify-full&sslrootcert=${encodeURIComponent(CA)}`)).toEqual([{ n: 0 }]);
  await expect(ask("?sslmode=verify-full")).rejects.toThrow(/self.signed/);
});

test("the object store is reached by TLS, and not where the certificate is signed by somebody else", async () => {
  const server = createTlsServer(secure, (socket) => join(socket, target(here.env.S3_ENDPOINT)));
  server.on("tlsClientError", () => undefined);
  const options = {
    endpoint: `https://127.0.0.1:${await listening(server)}`,
    bucket: here.bucket,
    region: here.env.S3_REGION,
    accessKeyId: here.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY,
  };
  const known = openObjects({ ...options, ca: CA });
  await known.put("a/b", Buffer.from("x"));
  expect(Buffer.from(await known.get("a/b")).toString()).toBe("x");
  const unknown = openObjects(options);
  await expect(unknown.get("a/b")).rejects.toThrow(/self.signed/);
  known.close();
  unknown.close();
});

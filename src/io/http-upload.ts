import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";

/** How long a body may take to come in whole; of an upload, how long nothing may come. In ms. */
const PATIENCE = 60_000;

/**
 * Ends the connection of a client that does not send what it began. The server's own limit is one for all requests, and an
 * upload may take hours.
 */
export const boundBody = (request: IncomingMessage, upload: boolean): void => {
  if (upload) {
    request.setTimeout(PATIENCE, () => request.destroy());
    request.once("end", () => request.setTimeout(0));
    return;
  }
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, PATIENCE);
  request.once("close", () => clearTimeout(timer));
  timer.unref();
};

/** Routes that take bytes of any type as they come, beside those that take JSON. */
export const addUploads = (app: FastifyInstance, register: (inner: FastifyInstance) => void): void => {
  // Registering is part of starting: what goes wrong in it is thrown by listen.
  void app.register(async (inner) => {
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser("*", async (_: unknown, payload: IncomingMessage) => payload);
    register(inner);
  });
};

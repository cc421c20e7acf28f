import { createRequire } from "node:module";

type Request = { sentAt: number; requestTimeout: number; timeoutRequest(): void };
/** As kafkajs 2.2.4 has it, one a connection. */
type Queue = {
  pending: readonly unknown[];
  inflight: ReadonlyMap<number, Request>;
  requestTimeoutIntervalId: NodeJS.Timeout;
  isConnected(): boolean;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
};

/** Timeouts are of seconds: kafkajs looks every 100 ms. */
const LOOK_MS = 1000;
let patched = false;

/**
 * After its first answer each of kafkajs' connections looks every millisecond, for ever, whether a request waits: its timer is set
 * for a moment that has passed, which Node also warns about. It was most of what an idle process cost. Looked is now while one waits.
 */
export function restQueues(): void {
  if (patched) return;
  patched = true;
  const load = createRequire(import.meta.url);
  const { prototype } = load("kafkajs/src/network/requestQueue/index.js") as { prototype: Queue };
  // They are called with each queue as `this`.
  // oxlint-disable-next-line typescript/unbound-method
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function whileOneWaits(this: Queue) {
    if (this.pending.length > 0) schedule.call(this);
  };
  prototype.scheduleRequestTimeoutCheck = everySecond;
}

function everySecond(this: Queue): void {
  this.destroy();
  this.requestTimeoutIntervalId = setInterval(() => timeOut(this), LOOK_MS);
}

function timeOut(queue: Queue): void {
  const now = Date.now();
  for (const request of queue.inflight.values()) {
    if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
  }
  if (!queue.isConnected()) queue.destroy();
}

import { createRequire } from "node:module";
import type { Socket } from "node:net";

/** As kafkajs 2.2.4 has it: what it keeps of a connection between two reads. */
type Connection = {
  isConnected(): boolean;
  socket?: Socket;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
};

const SIZE_BYTES = 4;
let patched = false;

/**
 * A line that breaks within an answer leaves its half in kafkajs' connection, which reads it before the answers of the
 * next line: nothing then stands where it looks for a length, and the process ends. Each line begins with nothing.
 */
export function forgetHalfAnswers(): void {
  if (patched) return;
  patched = true;
  const load = createRequire(import.meta.url);
  const { prototype } = load("kafkajs/src/network/connection.js") as {
    prototype: { connect(this: Connection): Promise<unknown> };
  };
  // It is called with each connection as `this`.
  // oxlint-disable-next-line typescript/unbound-method
  const connect = prototype.connect;
  prototype.connect = function again(this: Connection) {
    if (!this.isConnected()) {
      this.socket?.destroy();
      this.chunks = [];
      this.bytesBuffered = 0;
      this.bytesNeeded = SIZE_BYTES;
    }
    return connect.call(this);
  };
}

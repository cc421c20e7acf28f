/** A stream of bytes in which one address stands for another. */
export type Renaming = { pass(bytes: Buffer): Buffer };

const told = (host: string, port: number): Buffer => {
  const bytes = Buffer.alloc(host.length + 4);
  bytes.write(host, "latin1");
  bytes.writeInt32BE(port, host.length);
  return bytes;
};

/** How many bytes at the end of `bytes` may be the beginning of `sought`. */
const begun = (bytes: Buffer, sought: Buffer): number => {
  for (let length = Math.min(bytes.length, sought.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(sought.subarray(0, length))) return length;
  }
  return 0;
};

/**
 * Replaces the port in every `host` that is followed by the port `from`, as brokers tell their address in Metadata and
 * FindCoordinator answers of every version (a string, then an int32). The length stays, so nothing else need be read.
 */
export const renaming = (host: string, [from, to]: readonly [number, number], found: () => void): Renaming => {
  const sought = told(host, from);
  const instead = told(host, to);
  let kept: Buffer = Buffer.alloc(0);
  return {
    pass(bytes) {
      const all = Buffer.concat([kept, bytes]);
      for (let at = all.indexOf(sought); at >= 0; at = all.indexOf(sought, at + 1)) {
        instead.copy(all, at);
        found();
      }
      const end = all.length - begun(all, sought);
      kept = all.subarray(end);
      return all.subarray(0, end);
    },
  };
};

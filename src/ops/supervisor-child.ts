/** What a child (a part of the worker role) and its parent say to each other over Node's IPC channel. */
export type ChildMessage =
  | { kind: "ready" }
  | { kind: "note"; text: string }
  | { kind: "figures"; id: number; figures: unknown[] };
export type ParentMessage = { kind: "figures"; id: number };

/**
 * Set in the environment of a supervised child: which parts of the worker it is, with commas. `serve` then runs these
 * itself instead of supervising them.
 */
export const CHILD_FLAG = "HEALTH_SYNC_SUPERVISED";

/** How long an orphan may drain: nobody is left to kill it. */
const ORPHAN_MS = 30_000;

export type ParentLink = {
  /** Work is under way: positions are accepted, the group is joined. */
  ready(): void;
  /** Why this process will exit: shown at the parent's /readyz. */
  note(text: string): Promise<void>;
  close(): void;
};

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (!process.send || !process.connected) resolve();
    // A parent that went away in between is noticed by `disconnect`.
    else process.send(message, undefined, {}, () => resolve());
  });

/**
 * The child's half: answers the parent's questions for figures, and calls `orphaned` when the parent is gone, because
 * a worker without its supervisor would never be stopped.
 */
export const linkToParent = (deps: { figures(): Promise<unknown[]>; orphaned: () => void }): ParentLink => {
  const onMessage = (message: ParentMessage): void => {
    if (message.kind !== "figures") return;
    void deps.figures().then((figures) => send({ kind: "figures", id: message.id, figures }));
  };
  const onDisconnect = (): void => {
    setTimeout(() => process.exit(1), ORPHAN_MS).unref();
    deps.orphaned();
  };
  process.on("message", onMessage);
  process.once("disconnect", onDisconnect);
  return {
    ready: () => void send({ kind: "ready" }),
    note: (text) => send({ kind: "note", text }),
    close: () => {
      process.off("message", onMessage);
      process.off("disconnect", onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
};

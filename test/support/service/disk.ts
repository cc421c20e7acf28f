import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A small file system of its own, which can be filled to the last byte. */
export type Disk = { folder: string; fill(): void; free(): void; drop(): void };

const PIECE = Buffer.alloc(64 << 10);

/** Throws, with what to do, where this process may not mount one. */
export const mountDisk = (folder: string, size: string): Disk => {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=755`, "tmpfs", folder], { stdio: "pipe" });
  } catch (cause) {
    throw new Error("a full disk needs a small file system: run this as root, where `mount -t tmpfs` is allowed", {
      cause,
    });
  }
  chmodSync(folder, 0o755);
  const ballast = join(folder, "ballast");
  const fill = (): void => {
    const file = openSync(ballast, "a");
    try {
      // In ever smaller pieces, until not one byte fits.
      for (let length = PIECE.length; length >= 1;) {
        try {
          writeSync(file, PIECE, 0, length);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          length = Math.floor(length / 4);
        }
      }
    } finally {
      closeSync(file);
    }
  };
  const free = (): void => rmSync(ballast, { force: true });
  return { folder, fill, free, drop: () => void execFileSync("umount", ["-l", folder], { stdio: "pipe" }) };
};

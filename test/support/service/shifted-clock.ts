import { readFileSync } from "node:fs";

// Preloaded into a process (`node --import`): its clock is off by as many milliseconds as the file CLOCK_SHIFT_FILE
// says, and jumps when that file changes. Timers are not touched: they run by another clock.
const file = process.env["CLOCK_SHIFT_FILE"] ?? "";
const LOOK_MS = 100;
const RealDate = Date;
const asked = (): number => Number(readFileSync(file, "utf8"));

let shift = asked();
setInterval(() => {
  shift = asked();
}, LOOK_MS).unref();
const now = (): number => RealDate.now() + shift;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});

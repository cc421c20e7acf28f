// Preloaded into a process (`node --import`): its clock is off by CLOCK_SHIFT_MS for all of its life. Timers are not touched.
const shift = Number(process.env["CLOCK_SHIFT_MS"] ?? "0");
const RealDate = Date;
const now = (): number => RealDate.now() + shift;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});

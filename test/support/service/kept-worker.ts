import type { Service } from "./service.ts";

/** A worker that is started again when it ends, as a supervisor does; what it ended with is said. */
export const keptWorker = (service: Service, name: string) => {
  let isWanted = true;
  let current = service.worker();
  const keep = async (): Promise<void> => {
    for (;;) {
      const { code, signal } = await current.exited;
      if (!isWanted) return;
      process.stderr.write(`under ${name} the worker ended (${code ?? signal}):\n${current.log()}\n`);
      current = service.worker();
    }
  };
  const kept = keep();
  return {
    ready: async (): Promise<void> => {
      // One that ends before has a successor, which is asked next.
      const asked = current;
      await asked.event("worker.ready").catch(async (error: unknown) => {
        if (!isWanted || asked === current) throw error;
        await current.event("worker.ready");
      });
    },
    kill: () => current.signal("SIGKILL"),
    stop: async () => {
      isWanted = false;
      await current.stop();
      await kept;
    },
  };
};

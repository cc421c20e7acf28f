import type { Service } from "./service.ts";

export type Reply = { status: number; body: Record<string, unknown> };
export type MetricRow = { date: string; metric: string; source: string; value: number; unit: string };

/** Requests of a person with a token, answered as JSON. */
export const asking = (service: () => Service) => {
  const ask = async (path: string, init: RequestInit = {}): Promise<Reply> => {
    const headers = { authorization: `Bearer ${service().token}`, ...(init.headers as Record<string, string>) };
    const answer = await fetch(`${service().url}/v1/athletes/${path}`, { ...init, headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const post = (path: string, body: unknown): Promise<Reply> => {
    const isBytes = body instanceof Uint8Array;
    const type = isBytes ? "application/octet-stream" : "application/json";
    const sent = isBytes ? (body as unknown as string) : JSON.stringify(body);
    return ask(path, { method: "POST", headers: { "content-type": type }, body: sent });
  };
  /** One day's or range's samples of a metric as objects. */
  const samples = async (athlete: string, metric: string, from: string, to = from) => {
    const { columns, points } = (await ask(`${athlete}/samples?metric=${metric}&from=${from}&to=${to}&limit=10000`))
      .body as { columns: string[]; points: unknown[][] };
    return points.map((point) => Object.fromEntries(columns.map((name, at) => [name, point[at]])));
  };
  const metrics = async (athlete: string, from: string, to = from): Promise<MetricRow[]> =>
    (await ask(`${athlete}/metrics?from=${from}&to=${to}&view=all`)).body["metrics"] as MetricRow[];
  return { ask, post, samples, metrics };
};

/** Calls of the service on behalf of one athlete. Errors carry what the problem document says. */
export const openApi = ({ athlete, token }) => {
  const base = `/v1/athletes/${encodeURIComponent(athlete)}`;
  const call = async (path, init = {}) => {
    const headers = { authorization: `Bearer ${token}`, ...(init.body ? { "content-type": "application/json" } : {}) };
    const answer = await fetch(base + path, { ...init, headers });
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    const fields = (problem.errors ?? []).map((error) => `${error.path}: ${error.detail}`).join("; ");
    throw new Error(`${problem.detail ?? answer.statusText}${fields ? ` (${fields})` : ""}`);
  };
  const get = async (path, query = {}) => (await call(`${path}?${new URLSearchParams(query)}`)).json();
  const change = async (method, path, body) => (await call(path, { method, body: JSON.stringify(body) })).json();
  return {
    today: () => get("/today"),
    metrics: (query) => get("/metrics", query),
    samples: (query) => get("/samples", query),
    sleep: (query) => get("/sleep", query),
    session: (id) => get(`/sleep/${id}`),
    edit: ({ date, metric, source }, body) => change("PATCH", `/metrics/${date}/${metric}/${source}`, body),
    wellness: (date, body) => change("PUT", `/wellness/${date}`, body),
    /** Server-sent events by fetch, because EventSource sends no token. Calls `on` for each until the signal. */
    live: async (on, signal) => {
      const answer = await call("/live", { signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        text += value;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const lines = text.slice(0, end).split("\n");
          text = text.slice(end + 2);
          const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
          if (field("data")) on({ kind: field("event"), data: JSON.parse(field("data")) });
        }
      }
    },
  };
};

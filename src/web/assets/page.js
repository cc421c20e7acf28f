import { openApi } from "./api.js";
import { hypnogram, seriesChart } from "./charts.js";
import { daysTable, figures, readable, todayTiles } from "./days.js";

const by = (id) => document.getElementById(id);
const DAYS = 14;
const SCALES = ["soreness", "fatigue", "mood", "motivation"];
const RESOLUTIONS = ["1h", "1d", "15m", "5m", "1m", "raw"];
const RELOAD_MS = 400;

let api = null;
let today = new Date().toISOString().slice(0, 10);
let following = new AbortController();

const say = (text, bad = false) => {
  by("state").textContent = text;
  by("state").className = bad ? "bad" : "";
};
const guarded =
  (work) =>
  (...given) => {
    Promise.resolve(work(...given)).catch((error) => say(error.message, true));
  };
const seconds = (value) => readable(value, "s");
const daysBefore = (date, days) => new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);
const clock = (text, tz) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", timeZone: tz });

const showToday = async () => {
  const answer = await api.today();
  today = answer.local_date;
  by("today-date").textContent = `${answer.local_date}, ${answer.tz}`;
  by("today").replaceChildren(...todayTiles(answer.metrics));
  if (answer.metrics.length === 0) by("today").textContent = "Nothing has been received for today yet.";
};

const openEdit = (row) => {
  const form = by("edit").querySelector("form");
  by("edit-title").textContent = `${row.metric.replaceAll("_", " ")}, ${row.date}`;
  by("edit-why").textContent = `${row.source}: ${row.method ?? "entered by hand"}. A locked value survives every sync.`;
  by("edit-unlock").hidden = !row.locked;
  form.elements.value.value = row.value ?? "";
  const closed = guarded(async () => {
    const choice = by("edit").returnValue;
    if (choice === "unlock") await api.edit(row, { locked: false });
    else if (choice === "save") await api.edit(row, { value: Number(form.elements.value.value), locked: true });
    else return;
    await showDays();
  });
  by("edit").addEventListener("close", closed, { once: true });
  by("edit").returnValue = "";
  by("edit").showModal();
};

const showDays = async () => {
  const { metrics } = await api.metrics({ from: daysBefore(today, DAYS - 1), to: today });
  by("days").replaceChildren(daysTable(metrics, openEdit));
  if (metrics.length === 0) by("days").textContent = `No daily values in the last ${DAYS} days.`;
};

const showSleep = async () => {
  const { sessions } = await api.sleep({ from: daysBefore(today, 60), to: today });
  const night = sessions.findLast((session) => session.is_main_sleep) ?? sessions.at(-1);
  if (night === undefined) {
    by("sleep").textContent = "No night in the last 60 days.";
    return;
  }
  const detail = await api.session(night.session_id);
  by("sleep-date").textContent =
    `${night.date}, ${clock(night.start_at, night.tz)} – ${clock(night.end_at, night.tz)}, ${night.source}`;
  by("sleep").replaceChildren(
    hypnogram(detail.hypnogram),
    figures([
      ["Score", readable(night.sleep_score, "score")],
      ["Asleep", seconds(night.total_sleep_s)],
      ["Deep", seconds(night.deep_s)],
      ["REM", seconds(night.rem_s)],
      ["Core", seconds(night.light_s)],
      ["Awake", seconds(night.awake_s)],
      ["Efficiency", readable(night.efficiency, "fraction")],
      ["HRV", readable(night.hrv_ms, "ms")],
      ["Heart rate", readable(night.avg_hr, "count/min")],
      ["SpO₂", readable(night.spo2, "fraction")],
    ]),
  );
};

const showSeries = async () => {
  const query = Object.fromEntries(new FormData(by("series-form")));
  const answer = await api.samples(query);
  by("series").replaceChildren(seriesChart(answer));
  if (answer.points.length === 0) by("series").textContent = "No samples there.";
};

const fillForms = async () => {
  const { paths } = await (await fetch("/openapi.json")).json();
  const known = paths["/v1/athletes/{athlete_id}/samples"]?.get.parameters.find(({ name }) => name === "metric");
  const keys = known?.schema.enum ?? [
    "heart_rate",
    "steps",
    "hrv_sdnn",
    "resting_heart_rate",
    "body_mass",
    "active_energy",
  ];
  const form = by("series-form").elements;
  form.metric.replaceChildren(...keys.map((key) => new Option(key.replaceAll("_", " "), key)));
  form.resolution.replaceChildren(...RESOLUTIONS.map((one) => new Option(one, one)));
  form.from.value = daysBefore(today, 6);
  form.to.value = today;
  by("wellness").replaceChildren(
    ...SCALES.map((scale) => {
      const label = Object.assign(document.createElement("label"), { textContent: scale });
      label.append(
        Object.assign(document.createElement("input"), { name: scale, type: "number", min: 1, max: 5, step: 1 }),
      );
      return label;
    }),
    Object.assign(document.createElement("button"), { textContent: "Save" }),
  );
};

let reload = null;
/** News come in flocks: look once for many. */
const onNews = ({ kind }) => {
  clearTimeout(reload);
  reload = setTimeout(
    guarded(async () => {
      await Promise.all([showToday(), showDays(), kind === "session" ? showSleep() : null]);
      say(`live, ${new Date().toLocaleTimeString()}`);
    }),
    RELOAD_MS,
  );
};

const follow = async () => {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  while (!signal.aborted) {
    await api.live(onNews, signal).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    // What changed meanwhile was told to nobody.
    if (!signal.aborted) onNews({ kind: "session" });
  }
};

const show = async () => {
  const who = Object.fromEntries(new FormData(by("who")));
  api = openApi(who);
  say("loading …");
  await showToday();
  document.querySelector("main").hidden = false;
  sessionStorage.setItem("who", JSON.stringify(who));
  await fillForms();
  await Promise.all([showDays(), showSleep(), showSeries()]);
  say("live");
  void follow();
};

by("who").addEventListener(
  "submit",
  guarded(async (event) => {
    event.preventDefault();
    await show();
  }),
);
by("series-form").addEventListener(
  "submit",
  guarded(async (event) => {
    event.preventDefault();
    await showSeries();
  }),
);
by("wellness").addEventListener(
  "submit",
  guarded(async (event) => {
    event.preventDefault();
    const given = [...new FormData(by("wellness"))].filter(([, text]) => text !== "");
    await api.wellness(today, Object.fromEntries(given.map(([scale, text]) => [scale, Number(text)])));
    say("saved");
    await showDays();
  }),
);

/** `/#athlete=…&token=…` fills the form; the fragment never leaves the browser and is taken out of the address. */
const given = new URLSearchParams(location.hash.slice(1));
const remembered = JSON.parse(sessionStorage.getItem("who") ?? "{}");
history.replaceState(null, "", location.pathname);
for (const name of ["athlete", "token"]) by("who").elements[name].value = given.get(name) ?? remembered[name] ?? "";
if (by("who").elements.token.value !== "") guarded(show)();

const SHOWN = [
  "sleep_score",
  "readiness",
  "stress",
  "sleep_duration",
  "hrv",
  "resting_hr",
  "steps",
  "active_energy",
  "exercise_time",
  "weight",
  "body_fat",
  "vo2max",
  "spo2",
  "respiratory_rate",
  "skin_temp_deviation",
  "energy_consumed",
  "protein",
  "water",
  "soreness",
  "fatigue",
  "mood",
  "motivation",
];

/** A value as a person reads it. */
export const readable = (value, unit) => {
  if (value === null || value === undefined) return "–";
  if (unit === "fraction") return `${(value * 100).toFixed(1)} %`;
  if (unit === "s" && value >= 3600)
    return `${Math.floor(value / 3600)} h ${String(Math.round((value % 3600) / 60)).padStart(2, "0")}`;
  if (unit === "s") return `${Math.round(value / 60)} min`;
  const figure = Number.isInteger(value)
    ? value.toLocaleString()
    : value.toLocaleString([], { maximumFractionDigits: value < 10 ? 2 : 1 });
  return unit === "score" || unit === "count" || unit === "" ? figure : `${figure} ${unit}`;
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const rank = (metric) => (SHOWN.includes(metric) ? SHOWN.indexOf(metric) : SHOWN.length);
const words = (metric) => metric.replaceAll("_", " ");

const cellOf = (row, onEdit) => {
  if (row === undefined) return element("td");
  const button = element("button", {
    type: "button",
    textContent: (row.locked ? "🔒 " : "") + readable(row.value, row.unit),
    title: `${row.source}, ${row.method ?? "entered by hand"}${row.is_final ? "" : ", provisional"}`,
    onclick: () => onEdit(row),
  });
  return element("td", { className: row.is_final ? "" : "provisional" }, button);
};

/** Effective rows as a table: a row a metric, a column a date, newest first. */
export const daysTable = (rows, onEdit) => {
  const dates = [...new Set(rows.map((row) => row.date))].toSorted((a, b) => (a < b ? 1 : -1));
  const byMetric = Map.groupBy(rows, (row) => row.metric);
  const metrics = [...byMetric.keys()].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const head = element(
    "tr",
    {},
    element("th", { textContent: "Metric" }),
    ...dates.map((date) => element("th", { textContent: date.slice(5) })),
  );
  const body = metrics.map((metric) => {
    const ofDate = new Map(byMetric.get(metric).map((row) => [row.date, row]));
    return element(
      "tr",
      {},
      element("th", { textContent: words(metric) }),
      ...dates.map((date) => cellOf(ofDate.get(date), onEdit)),
    );
  });
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
};

/** What `/today` answers as tiles. */
export const todayTiles = (metrics) =>
  metrics.map(({ metric, unit, aggregation, latest, aggregate }) => {
    const main = aggregation === "cumulative" ? aggregate.sum : latest.value;
    const range =
      aggregate.min === undefined ? "so far" : `${readable(aggregate.min, unit)} – ${readable(aggregate.max, unit)}`;
    return element(
      "div",
      { className: "tile" },
      element("small", { textContent: words(metric) }),
      element("b", { textContent: readable(main, unit) }),
      element("small", {
        textContent: `${range}, ${new Date(latest.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`,
      }),
    );
  });

/** Terms and their values. */
export const figures = (pairs) =>
  element(
    "dl",
    {},
    ...pairs.map(([term, text]) =>
      element("div", {}, element("dt", { textContent: term }), element("dd", { textContent: text })),
    ),
  );

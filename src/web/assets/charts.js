const SVG = "http://www.w3.org/2000/svg";

const make = (name, attributes = {}, text = "") => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
};

const frame = (width, height, label) =>
  make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [960, 220, 48, 22];

const time = (at, span) =>
  new Date(at).toLocaleString(
    [],
    span > 2 * 86_400_000 ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" },
  );

const axes = (svg, { from, to, low, high, x, y }) => {
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(make("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }));
    svg.append(
      make("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(Number(value.toPrecision(3)))),
    );
  }
  for (let tick = 0; tick <= 6; tick += 1) {
    const at = from + ((to - from) * tick) / 6;
    svg.append(
      make("text", { x: x(at), y: HEIGHT - 6, "text-anchor": tick === 6 ? "end" : "middle" }, time(at, to - from)),
    );
  }
};

/** A series as `/samples` answers it: sums as bars, figures as a line in the band of minimum and maximum. */
export const seriesChart = ({ columns, points, metric, unit }) => {
  const column = (name) => columns.indexOf(name);
  const svg = frame(WIDTH, HEIGHT, `${metric} in ${unit}`);
  const rows = points.map((point) => ({
    at: Date.parse(point[column("start_at")]),
    end: Date.parse(point[column("end_at")]),
    value: point[column("sum")] ?? point[column("mean")] ?? point[column("value")],
    min: point[column("min")],
    max: point[column("max")],
  }));
  if (rows.length === 0) return svg;
  const bars = column("sum") >= 0;
  const [from, to] = [rows[0].at, Math.max(rows.at(-1).end, rows[0].at + 1)];
  const low = bars ? 0 : Math.min(...rows.map((row) => row.min ?? row.value));
  const high = Math.max(...rows.map((row) => row.max ?? row.value), low + 1e-9);
  const x = (at) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT);
  const y = (value) => 8 + (1 - (value - low) / (high - low)) * (HEIGHT - BOTTOM - 16);
  axes(svg, { from, to, low, high, x, y });
  if (bars) {
    for (const row of rows) {
      const width = Math.max(1, x(row.end) - x(row.at) - 1);
      svg.append(make("rect", { class: "bar", x: x(row.at), y: y(row.value), width, height: y(0) - y(row.value) }));
    }
    return svg;
  }
  if (column("min") >= 0) {
    const top = rows.map((row) => `${x(row.at)},${y(row.max)}`);
    const bottom = rows.map((row) => `${x(row.at)},${y(row.min)}`).toReversed();
    svg.append(make("polygon", { class: "band", points: [...top, ...bottom].join(" ") }));
  }
  svg.append(make("polyline", { class: "line", points: rows.map((row) => `${x(row.at)},${y(row.value)}`).join(" ") }));
  return svg;
};

/** Stage → row of the hypnogram and its class. */
const STAGES = {
  awake: [0, "awake"],
  in_bed: [0, "in-bed"],
  rem: [1, "rem"],
  core: [2, "core"],
  asleep: [2, "asleep"],
  deep: [3, "deep"],
};
const ROWS = ["Awake", "REM", "Core", "Deep"];

/** Stages of a session over time: `points` are {start_at, end_at, stage}. */
export const hypnogram = (points) => {
  const svg = frame(WIDTH, 150, "Hypnogram");
  if (points.length === 0) return svg;
  const [from, to] = [
    Math.min(...points.map((p) => Date.parse(p.start_at))),
    Math.max(...points.map((p) => Date.parse(p.end_at))),
  ];
  const x = (at) => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT);
  for (const [row, name] of ROWS.entries())
    svg.append(make("text", { x: LEFT - 6, y: 24 + row * 30, "text-anchor": "end" }, name));
  for (const { start_at, end_at, stage } of points) {
    const [row, kind] = STAGES[stage] ?? [0, "awake"];
    const [start, end] = [x(Date.parse(start_at)), x(Date.parse(end_at))];
    svg.append(
      make("rect", { class: kind, x: start, y: 8 + row * 30, width: Math.max(1, end - start), height: 24, rx: 2 }),
    );
  }
  for (const at of [from, (from + to) / 2, to])
    svg.append(
      make(
        "text",
        { x: x(at), y: 144, "text-anchor": at === to ? "end" : at === from ? "start" : "middle" },
        time(at, 0),
      ),
    );
  return svg;
};

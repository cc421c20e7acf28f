import type { Example, ImportProgress, ImportReport } from "../flow/import-report.ts";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const duration = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;

/** One line while an import runs: how far, how fast, how long still. */
export const progressLine = (progress: ImportProgress): string => {
  const { file, bytes, bytes_total, records, ms, waiting } = progress;
  const rate = `${whole.format(records / Math.max(ms / 1000, 0.001))} records/s`;
  const share = bytes_total > 0 ? Math.min(1, bytes / bytes_total) : 1;
  const left = share > 0.01 ? `, ${duration(((ms / 1000) * (1 - share)) / share)} left` : "";
  const place = `${file}: ${megabytes(bytes)} of ${megabytes(bytes_total)} MB, ${whole.format(records)} records`;
  return waiting ? `${place}, waiting for Kafka to answer` : `${place}, ${rate}${left}`;
};

const exampleLine = ({ file, line, type, detail }: Example): string => {
  const place = line === null ? file : `${file}, line ${line}`;
  // A reader's message may begin with the line already.
  const text = detail.replace(/^line \d+: /, "");
  return `    ${place}${type === null ? "" : `, ${type}`}: ${text}`;
};

const byCount = (counts: Record<string, number>): [string, number][] =>
  Object.entries(counts).toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));

const ignoredLines = (ignored: Record<string, number>): string[] => {
  const entries = byCount(ignored);
  if (entries.length === 0) return [];
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  return [
    `ignored   ${whole.format(total)} (types that are not used)`,
    ...entries.map(([type, count]) => `    ${whole.format(count).padStart(9)}  ${type}`),
  ];
};

/** One line a file or line that could not be read, and why. */
export const faultLines = (report: ImportReport): string[] => report.faults.map((fault) => exampleLine(fault).trim());

/** The closing summary. Names types, lines and reasons, never a health value. */
export const summaryLines = (report: ImportReport, dryRun: boolean): string[] => {
  const { batches, resumed, received, accepted, twins, deletions, ms } = report;
  const seconds = ms / 1000;
  const rate = whole.format(report.records / Math.max(seconds, 0.001));
  const refused = Object.values(report.refused).reduce((sum, { count }) => sum + count, 0);
  return [
    `${dryRun ? "would take" : "taken    "} ${whole.format(accepted)} of ${whole.format(received)} samples in ${batches} ${batches === 1 ? "batch" : "batches"}` +
      (deletions > 0 ? `, ${whole.format(deletions)} ${deletions === 1 ? "deletion" : "deletions"}` : ""),
    ...(resumed > 0 ? [`resumed   ${whole.format(resumed)} of the batches were sent before the interruption`] : []),
    ...(twins > 0 ? [`twins     ${whole.format(twins)} (metric, time and source of another record; kept)`] : []),
    ...ignoredLines(report.ignored),
    ...(refused > 0 ? [`refused   ${whole.format(refused)} (kept as dead letters)`] : []),
    ...Object.entries(report.refused).flatMap(([reason, { count, examples }]) =>
      [`  ${reason}: ${whole.format(count)}`].concat(examples.map(exampleLine)),
    ),
    ...(report.faults.length > 0 ? ["could not be read", ...report.faults.map(exampleLine)] : []),
    `read      ${megabytes(report.bytes)} MB, ${whole.format(report.records)} records in ${seconds.toFixed(1)} s (${rate} records/s)`,
  ];
};

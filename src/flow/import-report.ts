/** What `import` was asked for. */
export type ImportRequest = {
  files: readonly string[];
  athlete_id: string;
  /** The batches' zone (D4); a batch that names its own keeps it. */
  time_zone: string | null;
  /** Read and decide, send nothing. */
  dry_run: boolean;
  /** Send everything, also what an interrupted import has sent. */
  again?: boolean;
};

/** Where something stands; never what it says. */
export type Example = { file: string; line: number | null; type: string | null; detail: string };

/** What an import did. `ignored` holds types that we do not use and elements that are no samples. */
export type ImportReport = {
  batches: number;
  /** Of these, acknowledged already when an earlier import was interrupted, and not sent again. */
  resumed: number;
  received: number;
  accepted: number;
  /** Records with the metric, time and source of one before: kept, under numbered ids (D10). */
  twins: number;
  deletions: number;
  ignored: Record<string, number>;
  /** By reason, with up to three examples. */
  refused: Record<string, { count: number; examples: Example[] }>;
  /** Files or lines that could not be read. */
  faults: Example[];
  records: number;
  bytes: number;
  ms: number;
};

export type ImportProgress = {
  file: string;
  bytes: number;
  bytes_total: number;
  records: number;
  ms: number;
  /** Set while Kafka does not answer. */
  waiting: boolean;
};

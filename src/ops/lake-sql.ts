import type { LakeObject, LakeSelection } from "./lake.ts";

export const ENGINES = ["duckdb", "trino", "spark"] as const;
export type Engine = (typeof ENGINES)[number];

/** Where the objects are. `base` stands before their keys: `s3://BUCKET/`, or a folder that mirrors the bucket. */
export type Place = { base: string; endpoint: string | null; region: string };

type Asked = { selection: LakeSelection; urls: readonly string[]; place: Place };

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (urls: readonly string[]): string => urls.map((url) => `  ${quoted(url)}`).join(",\n");
const isRemote = ({ base }: Place): boolean => /^[a-z0-9]+:\/\//.test(base);
const viewOf = ({ sleep }: LakeSelection): "sleep_streams" | "health_streams" =>
  sleep ? "sleep_streams" : "health_streams";

/** Objects are of whole days or months: what lies around is left out here. Sleep is selected by its objects. */
const conditions = ({ selection: { sleep, from, to, metric } }: Asked): string[] => [
  ...(metric === null ? [] : [`${sleep ? "channel" : "metric"} = ${quoted(metric)}`]),
  ...(sleep || from === null ? [] : [`local_date >= date ${quoted(from)}`]),
  ...(sleep || to === null ? [] : [`local_date <= date ${quoted(to)}`]),
];
const where = (asked: Asked, more: readonly string[] = []): string => {
  const all = [...more, ...conditions(asked)];
  return all.length === 0 ? "" : `\nwhere ${all.join("\n  and ")}`;
};

/** httpfs takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from the environment when it is loaded. */
const duckdbSettings = ({ endpoint, region }: Place): string[] => {
  const url = endpoint === null ? null : new URL(endpoint);
  return [
    "-- The key is taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of duckdb's environment.",
    "install httpfs;",
    "load httpfs;",
    `set s3_region = ${quoted(region)};`,
    ...(url === null
      ? []
      : [
          `set s3_endpoint = ${quoted(url.host)};`,
          "set s3_url_style = 'path';",
          `set s3_use_ssl = ${url.protocol === "https:"};`,
        ]),
  ];
};

const duckdb = (asked: Asked): string[] => {
  const { selection, urls, place } = asked;
  // A night's file does not say whose it is: its path does.
  const columns = selection.sleep ? "substr(athlete, 3) as athlete_id, * exclude (athlete, month)" : "*";
  const partitions = selection.sleep ? "true, hive_types_autocast = false" : "false";
  return [
    ...(isRemote(place) ? duckdbSettings(place) : []),
    `create or replace view ${viewOf(selection)} as`,
    `select ${columns} from read_parquet([\n${list(urls)}\n], hive_partitioning = ${partitions})${where(asked)};`,
  ];
};

const TRINO_COLUMNS = {
  health_streams:
    "athlete_id varchar, metric varchar, unit varchar, source varchar, device varchar, tz varchar, local_date date, " +
    "start_at timestamp(3), end_at timestamp(3), value double, attributes varchar, sample_id varbinary",
  sleep_streams:
    "session_id varbinary, channel varchar, start_at timestamp(3), end_at timestamp(3), value double, source varchar",
} as const;

/** Trino reads folders, not lists of files: a table over everything, and a view of what is live by `"$path"`. */
const trino = (asked: Asked): string[] => {
  const { selection, urls, place } = asked;
  const name = viewOf(selection);
  return [
    "-- In a catalogue `hive` whose file system is set to this object store (fs.native-s3.enabled, s3.endpoint,",
    `-- s3.region = ${place.region}, s3.path-style-access). all_${name} holds superseded objects too: ask the view only.`,
    `create schema if not exists hive.health_sync;`,
    `create table if not exists hive.health_sync.all_${name} (${TRINO_COLUMNS[name]}, athlete varchar, month varchar)`,
    `with (external_location = ${quoted(`${place.base}${name}/`)}, format = 'PARQUET', partitioned_by = array['athlete', 'month']);`,
    `call hive.system.sync_partition_metadata('health_sync', 'all_${name}', 'FULL');`,
    `create or replace view hive.health_sync.${name} as`,
    `select * from hive.health_sync.all_${name}${where(asked, [`"$path" in (\n${list(urls)}\n)`])};`,
  ];
};

/** Declared, because Spark cannot make out the type of a uuid by itself. */
const sparkColumns = (name: keyof typeof TRINO_COLUMNS): string =>
  TRINO_COLUMNS[name]
    .replaceAll("varchar", "string")
    .replaceAll("varbinary", "binary")
    .replaceAll("timestamp(3)", "timestamp");

/** One path with all names in braces, as Hadoop expands them. Keys hold neither braces nor commas. */
const spark = (asked: Asked): string[] => {
  const { selection, urls, place } = asked;
  const base = place.base.replace(/^s3:/, "s3a:");
  const keys = urls.map((url) => url.slice(place.base.length));
  // A night's file does not say whose it is: its path does, below basePath.
  const paths = selection.sleep ? `basePath ${quoted(`${base}sleep_streams/`)}, ` : "";
  return [
    ...(isRemote(place)
      ? [
          `-- With hadoop-aws, and spark.hadoop.fs.s3a.endpoint = ${place.endpoint ?? "(Amazon's own)"},`,
          `-- spark.hadoop.fs.s3a.endpoint.region = ${place.region}, spark.hadoop.fs.s3a.path.style.access = true; keys from AWS_* of the environment.`,
        ]
      : []),
    `create or replace temporary view all_${viewOf(selection)} (${sparkColumns(viewOf(selection))}) using parquet`,
    `options (${paths}path ${quoted(`${base}{${keys.join(",")}}`)});`,
    `create or replace temporary view ${viewOf(selection)} as`,
    `select ${selection.sleep ? "substr(athlete, 3) as athlete_id, * except (athlete, month)" : "*"} from all_${viewOf(selection)}${where(asked)};`,
  ];
};

/** Statements that make a view of exactly these objects. Holds no secret. */
export const lakeSql = (
  engine: Engine,
  selection: LakeSelection,
  objects: readonly LakeObject[],
  place: Place,
): string[] => {
  const urls = objects.map(({ object_key }) => place.base + object_key);
  const rows = objects.reduce((sum, { row_count }) => sum + row_count, 0);
  return [
    `-- ${objects.length} live objects of ${viewOf(selection)} with ${rows} rows. True until one of them is superseded: print it anew before use.`,
    ...{ duckdb, trino, spark }[engine]({ selection, urls, place }),
  ];
};

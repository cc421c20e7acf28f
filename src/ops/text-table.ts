/** Lines of a table: the first row is its head; numbers to the right, words to the left. */
export const textTable = (rows: readonly (readonly (string | number)[])[]): string[] => {
  const text = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)));
  const widths = (text[0] ?? []).map((_, at) => Math.max(...text.map((row) => row[at]?.length ?? 0)));
  const isNumber = (at: number): boolean => rows.slice(1).every((row) => typeof row[at] === "number");
  const pad = (cell: string, at: number): string =>
    isNumber(at) && rows.length > 1 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  return text.map((row) => row.map(pad).join("  ").trimEnd());
};

const BLOCKS = "▁▂▃▄▅▆▇█";

/** One block a value between the smallest and the largest; a gap where there is none. */
export const sparkline = (values: readonly (number | null)[]): string => {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return values
    .map((value) => {
      if (value === null) return " ";
      const share = high === low ? 0.5 : (value - low) / (high - low);
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(share * BLOCKS.length))];
    })
    .join("");
};

import { BrokenExport } from "./broken-export.ts";

/** The text before the root element may not be longer than this; Apple's own DTD takes 12 kB. */
const MAX_PROLOG = 1 << 20;

// Old exports hold U+000B in source names; XML 1.0 allows none of these, so a strict parser would stop there.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
const CONTROL_REFERENCE = /&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8BCbcEFef]|1[0-9A-Fa-f]));/g;
/** A character reference whose end may come with the next piece of text. */
const OPEN_REFERENCE = /&#?[xX]?[0-9A-Fa-f]{0,8}$/;

/** Index after the DOCTYPE that opens at `at`, −1 where its end has not come yet. */
const afterDoctype = (text: string, at: number): number => {
  const bracket = /[[>]/g;
  bracket.lastIndex = at;
  const first = bracket.exec(text);
  if (first === null) return -1;
  if (first[0] === ">") return first.index + 1;
  // Version 12's internal subset is malformed: nothing in it is read but comments, which may hold anything.
  const stop = /<!--|\]\s*>/g;
  stop.lastIndex = first.index;
  for (let found = stop.exec(text); found !== null; found = stop.exec(text)) {
    if (found[0] !== "<!--") return stop.lastIndex;
    const end = text.indexOf("-->", stop.lastIndex);
    if (end < 0) return -1;
    stop.lastIndex = end + 3;
  }
  return -1;
};

/** The text without its DOCTYPE once the root element's `<` is in sight, else null. Line numbers stay as they were. */
const withoutDoctype = (text: string): string | null => {
  let kept = "";
  let index = 0;
  for (;;) {
    const open = text.indexOf("<", index);
    if (open < 0 || open + 9 > text.length) return null;
    kept += text.slice(index, open);
    const comment = text.startsWith("<!--", open);
    if (comment || text.startsWith("<?", open)) {
      const mark = comment ? "-->" : "?>";
      const end = text.indexOf(mark, open + 2);
      if (end < 0) return null;
      kept += text.slice(open, end + mark.length);
      index = end + mark.length;
    } else if (text.startsWith("<!DOCTYPE", open)) {
      index = afterDoctype(text, open);
      if (index < 0) return null;
      kept += "\n".repeat(text.slice(open, index).split("\n").length - 1);
    } else return kept + text.slice(open);
  }
};

/**
 * Makes an export's text fit for a strict parser, piece by piece: without DOCTYPE, so that no entity can ever be
 * declared, and without control characters, written out or as references. Throws BrokenExport on an endless prolog.
 */
export const textCleaner = (): ((text: string, last: boolean) => string) => {
  let prolog: string | null = "";
  let carried = "";
  return (piece, last) => {
    let text = carried + piece;
    carried = "";
    if (prolog !== null) {
      prolog += text;
      const rest = withoutDoctype(prolog);
      if (rest === null && !last) {
        if (prolog.length > MAX_PROLOG) throw new BrokenExport("no root element in the first megabyte");
        return "";
      }
      text = rest ?? prolog;
      prolog = null;
    }
    const open = last ? null : OPEN_REFERENCE.exec(text.slice(-12));
    if (open) {
      carried = open[0];
      text = text.slice(0, text.length - carried.length);
    }
    const plain = text.replace(CONTROL, "");
    return plain.includes("&#") ? plain.replace(CONTROL_REFERENCE, "") : plain;
  };
};

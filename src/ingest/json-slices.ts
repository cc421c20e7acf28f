/**
 * Where the elements of a top-level list stand in a JSON text, so that a dead letter can hold an entry exactly as it
 * was received: a parsed value would have lost the digits of a number and the order of doubled keys.
 */
type Slice = readonly [from: number, to: number];

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

const QUOTE = 34;
const BACKSLASH = 92;

/** Index after the string that opens at `at`. */
const afterString = (text: string, at: number): number => {
  let index = at + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 2;
    else if (code === QUOTE) return index + 1;
    else index += 1;
  }
  return text.length;
};

const skipSpace = (text: string, at: number): number => {
  let index = at;
  while (isSpace(text.charCodeAt(index))) index += 1;
  return index;
};

/** Index after the value that begins at `at`. */
const afterValue = (text: string, at: number): number => {
  let depth = 0;
  let index = at;
  while (index < text.length) {
    const char = text[index];
    if (char === '"') {
      index = afterString(text, index);
      if (depth === 0) return index;
      continue;
    }
    if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (char === "," || isSpace(text.charCodeAt(index)))) return index;
    index += 1;
  }
  return index;
};

const elements = (text: string, open: number): Slice[] => {
  const slices: Slice[] = [];
  let index = skipSpace(text, open + 1);
  while (index < text.length && text[index] !== "]") {
    const end = afterValue(text, index);
    slices.push([index, end]);
    index = skipSpace(text, end);
    if (text[index] === ",") index = skipSpace(text, index + 1);
  }
  return slices;
};

/** The slices of each top-level list of a valid JSON object, by its key. The last of equal keys counts, as in JSON.parse. */
export const listSlices = (text: string): Map<string, Slice[]> => {
  const lists = new Map<string, Slice[]>();
  let index = skipSpace(text, skipSpace(text, 0) + 1);
  while (index < text.length && text[index] === '"') {
    const keyEnd = afterString(text, index);
    const key = JSON.parse(text.slice(index, keyEnd)) as string;
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = afterValue(text, value);
    lists.delete(key);
    if (text[value] === "[") lists.set(key, elements(text, value));
    index = skipSpace(text, end);
    if (text[index] === ",") index = skipSpace(text, index + 1);
  }
  return lists;
};

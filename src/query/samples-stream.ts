import { unavailable } from "../flow/route.ts";
import { places } from "../flow/slots.ts";
import type { SeriesWriter } from "./formats.ts";

/** A stream may be read slowly and for long; each holds a slice of samples in memory. So many may run in one process. */
const MOST_AT_ONCE = 16;

type Pieces = AsyncGenerator<unknown[][]>;

async function* written(pieces: Pieces, writer: SeriesWriter, ended: () => void): AsyncGenerator<Uint8Array> {
  try {
    const first = await pieces.next();
    yield writer.start();
    if (!first.done && first.value.length > 0) yield writer.points(first.value);
    for await (const some of pieces) if (some.length > 0) yield writer.points(some);
    yield writer.end();
  } finally {
    ended();
  }
}

/** Reads until the first bytes are there, so that a store which is away is a 503 and not half an answer. */
const begun = async (bytes: AsyncGenerator<Uint8Array>): Promise<AsyncIterableIterator<Uint8Array>> => {
  let first: IteratorResult<Uint8Array> | null = await bytes.next();
  const stream: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      const step = first ?? (await bytes.next());
      first = null;
      return step;
    },
    // The reader has left, maybe before it began: what was begun ends.
    return: () => bytes.return(undefined),
  };
  return stream;
};

/** Writes series as they are read, a few at a time. Throws Problem 503 when too many are under way. */
export const createStreams = () => {
  const takePlace = places(MOST_AT_ONCE);
  return async (pieces: Pieces, writer: SeriesWriter): Promise<AsyncIterable<Uint8Array>> => {
    const giveBack = takePlace();
    if (!giveBack) throw unavailable("other series are being streamed: ask again, or in pages", 5);
    return begun(written(pieces, writer, giveBack));
  };
};

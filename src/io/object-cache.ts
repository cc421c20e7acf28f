import type { ObjectStore } from "../flow/ports.ts";

/** Bytes by name, least recently used out first. Concurrent reads of one name share one request. */
const createCache = (maxBytes: number) => {
  /** A Map iterates in order of insertion: the first key is the least recently used. */
  const kept = new Map<string, Uint8Array>();
  const underWay = new Map<string, Promise<Uint8Array>>();
  let bytes = 0;

  const forget = (name: string): void => {
    bytes -= kept.get(name)?.length ?? 0;
    kept.delete(name);
    underWay.delete(name);
  };
  const keep = (name: string, body: Uint8Array): void => {
    forget(name);
    // One object may not push out everything else.
    if (body.length > maxBytes / 4) return;
    kept.set(name, body);
    bytes += body.length;
    for (const oldest of kept.keys()) {
      if (bytes <= maxBytes) break;
      forget(oldest);
    }
  };
  const fetch = async (name: string, request: Promise<Uint8Array>): Promise<Uint8Array> => {
    underWay.set(name, request);
    try {
      const body = await request;
      // Deleted while it was under way: answer, but do not keep.
      if (underWay.get(name) === request) keep(name, body);
      return body;
    } finally {
      if (underWay.get(name) === request) underWay.delete(name);
    }
  };
  return {
    peek: (name: string): Uint8Array | undefined => kept.get(name),
    keep,
    read: async (name: string, ask: () => Promise<Uint8Array>): Promise<Uint8Array> => {
      const body = kept.get(name);
      if (!body) return underWay.get(name) ?? fetch(name, ask());
      kept.delete(name);
      kept.set(name, body);
      return body;
    },
    forgetIf: (gone: (name: string) => boolean): void => {
      for (const name of [...kept.keys(), ...underWay.keys()]) if (gone(name)) forget(name);
    },
  };
};

/**
 * An ObjectStore with the bytes of recently used objects in memory, least recently used out first. Objects are
 * immutable and keys never used again, so an entry cannot be stale; a deleted object is forgotten, because a reader
 * who still asks for it must plan again. Concurrent gets of one key share one request. Bytes are shared: do not write
 * into them.
 */
export const cacheObjects = (store: ObjectStore, maxBytes: number): ObjectStore => {
  const cache = createCache(maxBytes);
  return {
    get: (key) => cache.read(key, () => store.get(key)),
    async getRange(key, range) {
      const whole = cache.peek(key);
      if (whole) return whole.subarray(range.from, range.to);
      return cache.read(`${key}#${range.from}-${range.to}`, () => store.getRange(key, range));
    },
    async put(key, body) {
      await store.put(key, body);
      cache.keep(key, body);
    },
    async delete(keys) {
      const gone = new Set(keys);
      cache.forgetIf((name) => gone.has(name.split("#", 1)[0] ?? ""));
      await store.delete(keys);
    },
    list: (prefix) => store.list(prefix),
  };
};

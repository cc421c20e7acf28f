import type { ObjectStore } from "../flow/ports.ts";

/**
 * An ObjectStore with the bytes of recently used objects in memory, least recently used out first. Objects are
 * immutable and keys never used again, so an entry cannot be stale; a deleted object is forgotten, because a reader
 * who still asks for it must plan again. Concurrent gets of one key share one request. Bytes are shared: do not write
 * into them.
 */
export const cacheObjects = (store: ObjectStore, maxBytes: number): ObjectStore => {
  /** A Map iterates in order of insertion: the first key is the least recently used. */
  const kept = new Map<string, Uint8Array>();
  const underWay = new Map<string, Promise<Uint8Array>>();
  let bytes = 0;

  const forget = (key: string): void => {
    bytes -= kept.get(key)?.length ?? 0;
    kept.delete(key);
  };
  const keep = (key: string, body: Uint8Array): void => {
    forget(key);
    // One object may not push out everything else.
    if (body.length > maxBytes / 4) return;
    kept.set(key, body);
    bytes += body.length;
    for (const oldest of kept.keys()) {
      if (bytes <= maxBytes) break;
      forget(oldest);
    }
  };
  const fetch = async (key: string): Promise<Uint8Array> => {
    const request = store.get(key);
    underWay.set(key, request);
    try {
      const body = await request;
      // Deleted while it was under way: answer, but do not keep.
      if (underWay.get(key) === request) keep(key, body);
      return body;
    } finally {
      if (underWay.get(key) === request) underWay.delete(key);
    }
  };

  return {
    async get(key) {
      const body = kept.get(key);
      if (!body) return underWay.get(key) ?? fetch(key);
      kept.delete(key);
      kept.set(key, body);
      return body;
    },
    async put(key, body) {
      await store.put(key, body);
      keep(key, body);
    },
    async delete(keys) {
      for (const key of keys) {
        forget(key);
        underWay.delete(key);
      }
      await store.delete(keys);
    },
    list: (prefix) => store.list(prefix),
  };
};

import avro from "avsc";
import type { Type } from "avsc";

/** Bounds on one value, checked before anything is decoded. */
export type Limits = { bytes: number; items: number; depth: number };
export const LIMITS: Limits = { bytes: 8 * 1024 * 1024, items: 200_000, depth: 32 };

export class Refused extends Error {}

/** Throws Refused. `bytes` is one value and nothing behind it. */
export type Guard = (bytes: Buffer) => void;

type Tap = { bytes: Buffer; pos: number; items: number; depth: number };
type Walk = (tap: Tap) => void;

/**
 * Walks an encoded value by the schema that wrote it, without making anything of it. avsc checks only at the end whether it
 * ran off the buffer, so a few bytes that declare 200 million items cost it gigabytes (AVRO-4301 in the sister
 * library), and it trusts a block's size when it skips one. Throws at once for a schema with items of no size.
 */
export function guardOf(writer: Type, limits: Limits = LIMITS): Guard {
  const walk = compile(writer, limits, new Map());
  return (bytes) => {
    if (bytes.length > limits.bytes) throw new Refused(`${bytes.length} bytes are more than ${limits.bytes}`);
    const tap: Tap = { bytes, pos: 0, items: 0, depth: 0 };
    walk(tap);
    if (tap.pos !== bytes.length) throw new Refused(`${bytes.length - tap.pos} bytes behind the value`);
  };
}

/** `known` closes the circle of a schema that names itself. */
function compile(type: Type, limits: Limits, known: Map<Type, Walk>): Walk {
  const made = known.get(type);
  if (made) return made;
  known.set(type, (tap) => known.get(type)?.(tap));
  const walk = build(type, limits, known);
  known.set(type, walk);
  return walk;
}

function build(type: Type, limits: Limits, known: Map<Type, Walk>): Walk {
  const { ArrayType, FixedType, MapType, RecordType, UnwrappedUnionType, WrappedUnionType } = avro.types;
  if (type instanceof RecordType) {
    const fields = type.fields.map((field) => compile(field.type, limits, known));
    return deeper(limits, (tap) => {
      for (const field of fields) field(tap);
    });
  }
  if (type instanceof ArrayType) {
    const least = leastBytes(type.itemsType, new Set());
    if (least === 0) throw new Refused("an array of items without size could declare any number of them");
    return deeper(limits, blocks(compile(type.itemsType, limits, known), least, limits));
  }
  if (type instanceof MapType) {
    const value = compile(type.valuesType, limits, known);
    const entry: Walk = (tap) => {
      sized(tap);
      value(tap);
    };
    return deeper(limits, blocks(entry, 1, limits));
  }
  if (type instanceof UnwrappedUnionType || type instanceof WrappedUnionType) {
    const branches = type.types.map((branch) => compile(branch, limits, known));
    return (tap) => {
      const branch = branches[long(tap)];
      if (!branch) throw new Refused(`no such branch of a union at byte ${tap.pos}`);
      branch(tap);
    };
  }
  return type instanceof FixedType ? (tap) => advance(tap, type.size) : primitive(type.typeName);
}

function primitive(name: string): Walk {
  switch (name) {
    case "null":
      return () => undefined;
    case "boolean":
      return (tap) => advance(tap, 1);
    case "int":
    case "enum":
      return (tap) => varint(tap, 5);
    case "long":
      return (tap) => varint(tap, 10);
    case "float":
      return (tap) => advance(tap, 4);
    case "double":
      return (tap) => advance(tap, 8);
    case "bytes":
    case "string":
      return sized;
    default:
      throw new Refused(`the schema holds a type that is not known here: ${name}`);
  }
}

const deeper =
  (limits: Limits, walk: Walk): Walk =>
  (tap) => {
    if (++tap.depth > limits.depth) throw new Refused(`nested deeper than ${limits.depth}`);
    walk(tap);
    tap.depth--;
  };

const blocks =
  (item: Walk, least: number, limits: Limits): Walk =>
  (tap) => {
    for (;;) {
      const declared = long(tap);
      if (declared === 0) return;
      const count = Math.abs(declared);
      const size = declared < 0 ? long(tap) : null;
      if (count * least > tap.bytes.length - tap.pos) throw new Refused(`${count} items declared at byte ${tap.pos}`);
      if ((tap.items += count) > limits.items) throw new Refused(`more than ${limits.items} items`);
      const start = tap.pos;
      for (let n = 0; n < count; n++) item(tap);
      if (size !== null && tap.pos - start !== size) throw new Refused(`a block of false size at byte ${start}`);
    }
  };

function advance(tap: Tap, count: number): void {
  if (count > tap.bytes.length - tap.pos) throw new Refused(`the value ends before byte ${tap.pos + count}`);
  tap.pos += count;
}

function varint(tap: Tap, longest: number): void {
  for (let n = 0; n < longest; n++) {
    const byte = tap.bytes[tap.pos++];
    if (byte === undefined) throw new Refused("the value ends within a number");
    if (byte < 0x80) return;
  }
  throw new Refused(`a number of more than ${longest} bytes before byte ${tap.pos}`);
}

/** Exact up to 2^53, far beyond any count or length that passes. */
function long(tap: Tap): number {
  let zigzag = 0;
  let scale = 1;
  for (let n = 0; n < 10; n++) {
    const byte = tap.bytes[tap.pos++];
    if (byte === undefined) throw new Refused("the value ends within a number");
    zigzag += (byte & 0x7f) * scale;
    if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    scale *= 128;
  }
  throw new Refused(`a number of more than 10 bytes before byte ${tap.pos}`);
}

const sized: Walk = (tap) => {
  const length = long(tap);
  if (length < 0) throw new Refused(`a negative length before byte ${tap.pos}`);
  advance(tap, length);
};

/** The least that a value takes. A record within itself counts as one byte: without a way out it has no finite value. */
function leastBytes(type: Type, within: Set<Type>): number {
  if (type instanceof avro.types.RecordType) {
    if (within.has(type)) return 1;
    const inner = new Set(within).add(type);
    return type.fields.reduce((sum, field) => sum + leastBytes(field.type, inner), 0);
  }
  if (type instanceof avro.types.FixedType) return type.size;
  return type.typeName === "null" ? 0 : 1;
}

/** Codecs: values as bytes and back. Those for keys keep the order of what they stand for. */

export type { Codec } from './codec.ts'
export { codecErrors } from './errors.ts'
export { float64, i32, u32, u64, u64Big } from './numbers.ts'
export { bytes, type Json, json, jsonOf, type MessagePack, msgpack, utf8 } from './text.ts'
export { decodeTuple, encodeTuple, type TupleElement, tuple, tuplesEnd } from './tuple.ts'

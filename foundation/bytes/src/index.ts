/** Bytes: comparing, copying, checksums, layouts, text and numbers in typed arrays. */

export { compareBytes, copyBytes, equalBytes, prefixEnd, sharedPrefixBytes } from './compare.ts'
export { crc32c, crc32cMany, crc32cTables } from './crc32c.ts'
export { compileGlob, type Glob } from './glob.ts'
export { largeBuffer, largeBufferPlacement, type Placement, placeLargeBuffers } from './large.ts'
export { type Field, layout, raw, u8, u16, u32, u64 } from './layout.ts'
export { decodeText, encodeText, encodeTextInto, utf8BytesPerCharMax } from './text.ts'
export { align8, readUint64, writeUint64 } from './words.ts'

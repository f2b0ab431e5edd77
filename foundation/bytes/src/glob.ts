/**
 * Glob patterns over bytes, as Redis has them: `*` any run, `?` any byte, `[a-z]` and `[^a-z]` one of a class, `\x` the byte x.
 *
 * A pattern is compiled once and matched against many keys. Matching goes back to the last `*` only, which is enough
 * for globs, so that it takes at most pattern × key steps whatever the pattern: Redis's own recursion can take
 * exponentially many.
 */

/** One byte of a pattern: a byte (0 to 255), or one of these. */
const anyByte = -1
const anyRun = -2

type Token = number | ByteClass

/** 256 bits, one for each byte that belongs to it. */
type ByteClass = Uint8Array

export interface Glob {
  /** Bytes that every match begins with. */
  readonly prefix: Uint8Array
  matches(bytes: Uint8Array, start: number, end: number): boolean
}

export function compileGlob(pattern: Uint8Array): Glob {
  const tokens = tokensOf(pattern)
  const firstOpen = tokens.findIndex((token) => typeof token !== 'number' || token < 0)
  const literalTokens = firstOpen < 0 ? tokens.length : firstOpen
  return {
    prefix: Uint8Array.from(tokens.slice(0, literalTokens) as number[]),
    matches: (bytes, start, end) =>
      // The empty key is matched by an empty pattern and a lone star only, as in Redis.
      start === end ? isEmptyOrStar(pattern) : matchTokens(tokens, bytes, start, end),
  }
}

function isEmptyOrStar(pattern: Uint8Array): boolean {
  return pattern.length === 0 || (pattern.length === 1 && pattern[0] === 0x2a)
}

function matchTokens(tokens: readonly Token[], bytes: Uint8Array, start: number, end: number): boolean {
  let place = 0
  let position = start
  /** The token after the last `*`, and where its run would end next. */
  let retryPlace = -1
  let retryPosition = 0
  while (position < end) {
    const token = tokens[place]
    if (token === anyRun) {
      retryPlace = ++place
      retryPosition = position
    } else if (token !== undefined && fits(token, bytes[position] as number)) {
      place++
      position++
    } else if (retryPlace >= 0) {
      place = retryPlace
      position = ++retryPosition
    } else {
      return false
    }
  }
  while (tokens[place] === anyRun) place++
  return place === tokens.length
}

function fits(token: Token, byte: number): boolean {
  if (typeof token !== 'number') return (((token[byte >> 3] as number) >> (byte & 7)) & 1) === 1
  return token === byte || token === anyByte
}

function tokensOf(pattern: Uint8Array): Token[] {
  const tokens: Token[] = []
  let position = 0
  while (position < pattern.length) {
    const byte = pattern[position] as number
    if (byte === 0x2a) {
      if (tokens.at(-1) !== anyRun) tokens.push(anyRun)
      position++
    } else if (byte === 0x3f) {
      tokens.push(anyByte)
      position++
    } else if (byte === 0x5b) {
      const { token, next } = classAt(pattern, position + 1)
      tokens.push(token)
      position = next
    } else {
      // A backslash at the very end stands for itself.
      const isEscape = byte === 0x5c && position + 1 < pattern.length
      tokens.push(pattern[isEscape ? position + 1 : position] as number)
      position += isEscape ? 2 : 1
    }
  }
  return tokens
}

/** The class whose `[` ends before `start`. One without its `]` reaches to the end of the pattern, as in Redis. */
function classAt(pattern: Uint8Array, start: number): { token: ByteClass; next: number } {
  const token = new Uint8Array(32)
  let position = start
  const isNegated = pattern[position] === 0x5e
  if (isNegated) position++
  while (position < pattern.length && pattern[position] !== 0x5d) {
    const byte = pattern[position] as number
    if (byte === 0x5c && position + 1 < pattern.length) {
      addRange(token, pattern[position + 1] as number, pattern[position + 1] as number)
      position += 2
    } else if (pattern[position + 1] === 0x2d && position + 2 < pattern.length) {
      addRange(token, byte, pattern[position + 2] as number)
      position += 3
    } else {
      addRange(token, byte, byte)
      position++
    }
  }
  if (isNegated) for (let i = 0; i < token.length; i++) token[i] = ~(token[i] as number)
  return { token, next: position + 1 }
}

/** Both ends included, in either order; compared as signed bytes, as Redis does on the machines that matter. */
function addRange(token: ByteClass, a: number, b: number): void {
  const first = Math.min(signed(a), signed(b))
  const last = Math.max(signed(a), signed(b))
  for (let value = first; value <= last; value++) {
    const byte = value & 0xff
    token[byte >> 3] = (token[byte >> 3] as number) | (1 << (byte & 7))
  }
}

function signed(byte: number): number {
  return (byte << 24) >> 24
}

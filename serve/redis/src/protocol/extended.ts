/**
 * The arithmetic of INCRBYFLOAT: Redis adds in the x87 extended format (64 bits of mantissa) and prints 17 decimals, and
 * its answers show it (0.1 + 0.2 is 0.3, but 1e15 + 0.3 is 1000000000000000.29998779296875). JavaScript has no such
 * type; here BigInt does the same, rounding to the nearest, ties to even, so that the answers are equal digit by digit.
 *
 * Not read, other than in Redis: hexadecimal numbers.
 */

/** `mantissa` × 2^`exponent`, the mantissa with 64 bits at most. */
export interface Finite {
  readonly mantissa: bigint
  readonly exponent: number
}

export type Extended = Finite | 'inf' | '-inf'

const mantissaBits = 64
/** The largest exponent of the value's highest bit, and the smallest that is not rounded to nothing. */
const topBitMax = 16_383
const topBitMin = -16_445
/** As in Redis: a longer text is no number. */
export const extendedCharsMax = 5119
const decimals = 17

export const zero: Finite = { mantissa: 0n, exponent: 0 }

/** Undefined where the text is no number, or one beyond the format. */
export function parseExtended(text: string): Extended | undefined {
  if (text.length === 0 || text.length > extendedCharsMax) return undefined
  const infinity = /^([+-]?)inf(?:inity)?$/i.exec(text)
  if (infinity !== null) return infinity[1] === '-' ? '-inf' : 'inf'
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = match
  if (whole.length + fraction.length === 0) return undefined
  const digits = BigInt(whole + fraction)
  if (digits === 0n) return zero
  const scale = Number(power) - fraction.length
  // Far beyond the format: not worth a number of millions of digits.
  if (Math.abs(scale) > 3 * extendedCharsMax) return undefined
  const rounded =
    scale >= 0 ? roundQuotient(digits * 10n ** BigInt(scale), 1n) : roundQuotient(digits, 10n ** BigInt(-scale))
  if (typeof rounded === 'string' || rounded.mantissa === 0n) return undefined
  return sign === '-' ? { mantissa: -rounded.mantissa, exponent: rounded.exponent } : rounded
}

/** Undefined where the sum is no finite number. */
export function addExtended(a: Extended, b: Extended): Finite | undefined {
  if (typeof a === 'string' || typeof b === 'string') return undefined
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent))
  if (sum === 0n) return zero
  const magnitude = sum < 0n ? -sum : sum
  const rounded =
    exponent >= 0 ? roundQuotient(magnitude << BigInt(exponent), 1n) : roundQuotient(magnitude, 1n << BigInt(-exponent))
  if (typeof rounded === 'string') return undefined
  return sum < 0n ? { mantissa: -rounded.mantissa, exponent: rounded.exponent } : rounded
}

/** With 17 decimals, zeros at the end left out, never with an exponent. */
export function formatExtended(value: Finite): string {
  const { mantissa, exponent } = value
  const magnitude = mantissa < 0n ? -mantissa : mantissa
  const scaled = magnitude * 10n ** BigInt(decimals)
  const units = exponent >= 0 ? scaled << BigInt(exponent) : divideToEven(scaled, 1n << BigInt(-exponent))
  const digits = units.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, -decimals)
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  return mantissa < 0n && text !== '0' ? `-${text}` : text
}

/** `numerator / denominator`, both positive, to 64 bits; 'inf' where it is too large, zero where it is too small. */
function roundQuotient(numerator: bigint, denominator: bigint): Extended {
  // Shifted so that the quotient has 64 or 65 bits; a 65th is rounded away below.
  const shift = mantissaBits - (bitsOf(numerator) - bitsOf(denominator))
  let mantissa =
    shift >= 0
      ? divideToEven(numerator << BigInt(shift), denominator)
      : divideToEven(numerator, denominator << BigInt(-shift))
  let exponent = -shift
  if (bitsOf(mantissa) > mantissaBits) {
    // Rounding twice would differ from rounding once: divide again with one bit less.
    const less = shift - 1
    mantissa =
      less >= 0
        ? divideToEven(numerator << BigInt(less), denominator)
        : divideToEven(numerator, denominator << BigInt(-less))
    exponent = -less
  }
  const topBit = exponent + bitsOf(mantissa) - 1
  if (topBit > topBitMax) return 'inf'
  if (topBit < topBitMin) return zero
  return { mantissa, exponent }
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twiceRest = 2n * (numerator % denominator)
  const isUp = twiceRest > denominator || (twiceRest === denominator && (quotient & 1n) === 1n)
  return isUp ? quotient + 1n : quotient
}

function bitsOf(value: bigint): number {
  const hex = value.toString(16)
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] as string, 16)))
}

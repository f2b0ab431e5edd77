/** Numbers with a fraction in text, as Redis reads and writes scores: C's `strtod` and `%.17g`. */

import { latin1 } from './text.ts'

/** A longer text is no number. */
const doubleCharsMax = 512
const significantDigits = 17
const infinity = /^([+-]?)inf(?:inity)?$/i
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const hexadecimal = /^([+-]?)0x([0-9a-f]+)$/i

/** The number in `bytes[start, end)`; undefined where it is none, or one too large for the format. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > doubleCharsMax) return undefined
  const text = latin1(bytes, start, end)
  if (decimal.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
  }
  const found = infinity.exec(text)
  if (found !== null) return found[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const hex = hexadecimal.exec(text)
  if (hex === null) return undefined
  const magnitude = Number(`0x${hex[2]}`)
  return hex[1] === '-' ? -magnitude : magnitude
}

/** With 17 digits, zeros at the end left out; with an exponent below 1e-4 and from 1e17 on. */
export function formatDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return Object.is(value, -0) ? '-0' : String(value)
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const [mantissa = '', power = '0'] = value.toExponential(significantDigits - 1).split('e')
  const exponent = Number(power)
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '').replace(/0+$/, '')
  if (exponent < -4 || exponent >= significantDigits) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const shown = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${shown}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

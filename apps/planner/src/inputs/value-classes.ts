/**
 * Sizes of values as a distribution: classes, each with its share of the keys and its size, given as one number or as
 * the range it lies in. The mean takes the middle of a range; `least` and `most` take its ends.
 */

import { formatQuantity, significant } from '../model/format.ts'
import { unit } from '../model/units.ts'
import { readAmount } from './amounts.ts'
import type { InputFault } from './fault.ts'

export interface ValueClass {
  readonly share: number
  readonly fromBytes: number
  readonly toBytes: number
}

export interface ValueClasses {
  readonly classes: readonly ValueClass[]
  readonly mean: number
  readonly faults: readonly InputFault[]
}

/** Reads `[[data.values]]`: share, and either bytes, or from and to. */
export function readValueClasses(raw: unknown, origin: string): ValueClasses {
  const faults: InputFault[] = []
  if (!Array.isArray(raw) || raw.length === 0) {
    const fault = 'is no list; write [[data.values]] with share and bytes (or from and to) for each class'
    return { classes: [], mean: 0, faults: [{ field: 'data.values', value: raw, origin, fault }] }
  }
  const classes = raw.map((item, index) => readClass(item, `data.values[${index}]`, origin, faults))
  const sum = classes.reduce((total, { share }) => total + share, 0)
  if (faults.length === 0 && Math.abs(sum - 1) > 1e-3) {
    const fault = `the shares must add to 100%, and add to ${significant(sum * 100, 4)}%; correct one of them`
    faults.push({ field: 'data.values', value: undefined, origin, fault })
  }
  return { classes, mean: meanOf(classes, ({ fromBytes, toBytes }) => (fromBytes + toBytes) / 2), faults }
}

/** The mean if every value were as small as its class allows, and as large. */
export function boundsOf(classes: readonly ValueClass[]): { readonly least: number; readonly most: number } {
  return { least: meanOf(classes, ({ fromBytes }) => fromBytes), most: meanOf(classes, ({ toBytes }) => toBytes) }
}

/** `mean of 30% × 50 B + 70% × 550 B; 70 B to 730 B by the ends of the classes`. */
export function valueClassesText(classes: readonly ValueClass[]): string {
  const bytes = (value: number) => formatQuantity(value, unit('B'))
  const parts = classes.map(({ share, fromBytes, toBytes }) => {
    return `${significant(share * 100, 4)}% × ${bytes((fromBytes + toBytes) / 2)}`
  })
  const { least, most } = boundsOf(classes)
  const ends = least === most ? '' : `; ${bytes(least)} to ${bytes(most)} by the ends of the classes`
  return `mean of ${parts.join(' + ')}${ends}`
}

function meanOf(classes: readonly ValueClass[], size: (one: ValueClass) => number): number {
  return classes.reduce((total, one) => total + one.share * size(one), 0)
}

function readClass(item: unknown, field: string, origin: string, faults: InputFault[]): ValueClass {
  const table = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
  const fault = (name: string, text: string) =>
    faults.push({ field: `${field}.${name}`, value: table[name], origin, fault: text })
  for (const name of Object.keys(table))
    if (!['share', 'bytes', 'from', 'to'].includes(name))
      fault(name, 'is unknown; write share, and bytes or from and to')
  const amount = (name: string, unitText: string, max: number): number => {
    const read = readAmount(table[name], unitText)
    if ('fault' in read) fault(name, read.fault)
    else if (read.value < 0 || read.value > max) fault(name, `must be from 0 to ${max}`)
    else return read.value
    return 0
  }
  const share = amount('share', '1', 1)
  const fromBytes = amount('bytes' in table ? 'bytes' : 'from', 'B', 1e9)
  const toBytes = 'bytes' in table ? fromBytes : amount('to', 'B', 1e9)
  if (fromBytes > toBytes) fault('from', 'must be at most `to`')
  return { share, fromBytes, toBytes }
}

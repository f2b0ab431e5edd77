/**
 * From the records of a file to entries of the store: which columns make the key, what the value is.
 *
 * A mapping is made once for a file from the flags and the header, and applied to each record. What it cannot map is
 * told with the column it stands in.
 */

import { encodeText } from '@orbitkv/bytes'
import { cliErrors } from '../errors.ts'
import { bytesFromJson, fromBase64 } from './encoding.ts'
import type { JsonRecord } from './ndjson.ts'

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAt: number
  /** The revision that wrote it, where the target tells. */
  readonly revision?: number
}

export interface Unmapped {
  readonly fault: string
  /** The field's place in the record, from 0 on. */
  readonly field: number
}

/** `number` is that of the record in its file, from 1 on. */
export type Mapping<Record> = (record: Record, number: number) => Entry | Unmapped

export interface MappingFlags {
  readonly key: string | undefined
  readonly keyTemplate: string | undefined
  readonly separator: string
  readonly value: string | undefined
}

/** Digits of `{row}`: keys sort as the rows do, up to ten thousand million of them. */
const rowDigits = 10
const rowName = 'row'

/** The mapping of a CSV file with these columns. Errors: `cli.key_needed`, `cli.no_key_column`. */
export function csvMapping(file: string, columns: readonly string[], flags: MappingFlags): Mapping<readonly string[]> {
  const place = (column: string): number => {
    const index = columns.indexOf(column)
    if (index < 0) throw cliErrors.no_key_column({ file, column, columns: columns.join(', ') })
    return index
  }
  const parts = keyParts(flags)
  if (parts === undefined) {
    if (!columns.includes('key') || !columns.includes('value'))
      throw cliErrors.key_needed({ file, columns: columns.join(', ') })
    return exportedCsv(columns)
  }
  const keyFields = parts.map((part) =>
    typeof part === 'string' || part.row ? part : { ...part, index: place(part.column) },
  )
  const valueIndex = flags.value === undefined ? undefined : place(flags.value)
  const labels = columns.map((column) => `${JSON.stringify(column)}:`)
  return (fields, number) => {
    if (fields.length !== columns.length) {
      return {
        fault: `has ${fields.length} fields, the header has ${columns.length}`,
        field: Math.min(fields.length, columns.length) - 1,
      }
    }
    let key = ''
    for (const part of keyFields) {
      if (typeof part === 'string') key += part
      else key += part.row ? rowText(number) : (fields[(part as { index: number }).index] as string)
    }
    const value = valueIndex === undefined ? rowJson(labels, fields) : (fields[valueIndex] as string)
    return entry(key, encodeText(value), 0)
  }
}

/** The mapping of an NDJSON file. */
export function ndjsonMapping(flags: MappingFlags): Mapping<JsonRecord> {
  const parts = keyParts(flags)
  if (parts === undefined) return exportedJson
  return ({ fields, text }, number) => {
    let key = ''
    for (const part of parts) {
      if (typeof part === 'string') {
        key += part
      } else if (part.row) {
        key += rowText(number)
      } else {
        const found = Object.hasOwn(fields, part.column) ? fields[part.column] : undefined
        if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') {
          return { fault: `${JSON.stringify(part.column)} must be a text or a number to be in a key`, field: 0 }
        }
        if (typeof found === 'number' && Number.isInteger(found) && !Number.isSafeInteger(found)) {
          return {
            fault: `${JSON.stringify(part.column)} is too large a number to be exact; write it as a text`,
            field: 0,
          }
        }
        key += String(found)
      }
    }
    if (flags.value === undefined) return entry(key, encodeText(text), 0)
    const value = bytesFromJson(Object.hasOwn(fields, flags.value) ? fields[flags.value] : undefined)
    return value instanceof Uint8Array
      ? entry(key, value, 0)
      : { fault: `${JSON.stringify(flags.value)} ${value.fault}`, field: 0 }
  }
}

/** A part of a key: text that stands as it is, a column, or the number of the record. */
type KeyPart = string | { readonly column: string; readonly row: boolean }

function keyParts({ key, keyTemplate, separator }: MappingFlags): KeyPart[] | undefined {
  if (key !== undefined && keyTemplate !== undefined)
    throw cliErrors.flags_conflict({ first: '--key', second: '--key-template' })
  if (keyTemplate !== undefined) return templateParts(keyTemplate)
  if (key === undefined) return undefined
  return key.split(',').flatMap((name, index) => {
    const part = name === `{${rowName}}` ? { column: rowName, row: true } : { column: name, row: false }
    return index === 0 ? [part] : [separator, part]
  })
}

/** `order:{id}:{row}`; `{{` and `}}` stand for the braces themselves. */
function templateParts(template: string): KeyPart[] {
  const refuse = (fault: string) =>
    cliErrors.flag_invalid({ flag: '--key-template', given: template, fault, command: 'import' })
  const parts: KeyPart[] = []
  for (const [token, name] of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (token === '{{') parts.push('{')
    else if (token === '}}') parts.push('}')
    else if (token === '{' || token === '}')
      throw refuse('has a brace that is not part of {COLUMN}; write {{ or }} for a brace')
    else if (name === undefined) parts.push(token)
    else parts.push({ column: name, row: name === rowName })
  }
  if (parts.every((part) => typeof part === 'string'))
    throw refuse('names no {COLUMN}, so that every record would have the same key')
  return parts
}

function rowText(number: number): string {
  return String(number).padStart(rowDigits, '0')
}

/** The record as a JSON object in the order of its columns, whatever they are called. */
function rowJson(labels: readonly string[], fields: readonly string[]): string {
  let json = '{'
  for (let i = 0; i < labels.length; i++) json += `${i === 0 ? '' : ','}${labels[i]}${JSON.stringify(fields[i])}`
  return `${json}}`
}

function exportedCsv(columns: readonly string[]): Mapping<readonly string[]> {
  const [key, value, encoding, expiresAt] = ['key', 'value', 'encoding', 'expires_at'].map((column) =>
    columns.indexOf(column),
  ) as [number, number, number, number]
  return (fields) => {
    if (fields.length !== columns.length) {
      return {
        fault: `has ${fields.length} fields, the header has ${columns.length}`,
        field: Math.min(fields.length, columns.length) - 1,
      }
    }
    const form = encoding < 0 ? '' : (fields[encoding] as string)
    if (form !== '' && form !== 'utf8' && form !== 'base64')
      return { fault: `encoding is ${JSON.stringify(form)}, not utf8 or base64`, field: encoding }
    const decode = form === 'base64' ? fromBase64 : encodeText
    const keyBytes = decode(fields[key] as string)
    if (keyBytes === undefined) return { fault: 'key is not base64', field: key }
    const valueBytes = decode(fields[value] as string)
    if (valueBytes === undefined) return { fault: 'value is not base64', field: value }
    const expiry = expiresAt < 0 || fields[expiresAt] === '' ? 0 : Number(fields[expiresAt])
    if (!isTime(expiry)) return { fault: 'expires_at is not a time in milliseconds since 1970', field: expiresAt }
    return entry(keyBytes, valueBytes, expiry)
  }
}

const exportedFields: readonly string[] = ['key', 'value', 'expires_at']

function exportedJson({ fields }: JsonRecord): Entry | Unmapped {
  if (!Object.hasOwn(fields, 'key') || !Object.hasOwn(fields, 'value')) {
    return { fault: 'has no "key" and "value"; name the fields that make the key with --key', field: 0 }
  }
  const strange = Object.keys(fields).find((name) => !exportedFields.includes(name))
  if (strange !== undefined) {
    return {
      fault: `has ${JSON.stringify(strange)} besides "key" and "value", which would be lost; keep whole records with --key key`,
      field: 0,
    }
  }
  const key = bytesFromJson(fields.key)
  if (!(key instanceof Uint8Array)) return { fault: `"key" ${key.fault}`, field: 0 }
  const value = bytesFromJson(fields.value)
  if (!(value instanceof Uint8Array)) return { fault: `"value" ${value.fault}`, field: 0 }
  const expiresAt = fields.expires_at ?? 0
  if (!isTime(expiresAt)) return { fault: '"expires_at" is not a time in milliseconds since 1970', field: 0 }
  return entry(key, value, expiresAt)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function entry(key: string | Uint8Array, value: Uint8Array, expiresAt: number): Entry | Unmapped {
  return { key: typeof key === 'string' ? encodeText(key) : key, value, expiresAt }
}

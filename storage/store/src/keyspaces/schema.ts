/** Validation of values by a Standard Schema, and how keys and values are told in errors. Within the store only. */

import { storeErrors } from '../errors.ts'
import type { SchemaIssue, StandardSchema } from './types.ts'

/** Issues that a message tells; more would bury them. */
const issuesMax = 3
const shownCharsMax = 80

/** The value as the schema gives it. Throws `store.invalid_value` with the key and what the schema says. */
export function validated<Value>(schema: StandardSchema<Value>, keyspace: string, key: unknown, value: Value): Value {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    // What it comes to is nobody's: a rejection must not end the process.
    result.catch(() => {})
    throw storeErrors.schema_async({ keyspace })
  }
  if (result.issues === undefined) return result.value
  const told = result.issues.slice(0, issuesMax).map(issueText)
  const more = result.issues.length - told.length
  const issue = told.join('; ') + (more > 0 ? ` and ${more} more` : '')
  throw storeErrors.invalid_value({ keyspace, key: shown(key), issue })
}

function issueText({ message, path = [] }: SchemaIssue): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step))
  return steps.length === 0 ? message : `${steps.join('.')}: ${message}`
}

/** A key, or what an index finds by, in a message. */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value.subarray(0, shownCharsMax)).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

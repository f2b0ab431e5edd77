/** Node kinds: what a file of them says (node-kinds.toml), read into inputs. The library itself knows none. */

import { nearest } from '@orbitkv/base'
import { readAmount } from './amounts.ts'
import type { InputFault } from './fault.ts'
import { inputById, inputSpecs } from './table.ts'

export interface NodeKind {
  readonly name: string
  readonly summary: string
  /** Values for the inputs `node.*`, by id. */
  readonly inputs: Readonly<Record<string, number>>
}

/** What a kind must say. */
const wanted = inputSpecs.filter(({ id, default: standard }) => id.startsWith('node.') && standard === undefined)
const allowed = inputSpecs.filter(({ id }) => id.startsWith('node.') && !['node.count', 'node.spares'].includes(id))

/** Reads `[kinds.NAME]` tables; every fault is named, and a kind with one is left out. */
export function readKinds(
  table: Readonly<Record<string, unknown>>,
  file: string,
): { kinds: NodeKind[]; faults: InputFault[] } {
  const kinds: NodeKind[] = []
  const faults: InputFault[] = []
  for (const [name, raw] of Object.entries(table)) {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      faults.push({ field: name, value: raw, origin: file, fault: 'is no table; write the kind as a section' })
      continue
    }
    const { kind, faults: found } = readKind(name, raw as Record<string, unknown>, file)
    faults.push(...found)
    if (found.length === 0) kinds.push(kind)
  }
  return { kinds, faults }
}

function readKind(name: string, raw: Readonly<Record<string, unknown>>, file: string) {
  const faults: InputFault[] = []
  const inputs: Record<string, number> = {}
  for (const [field, value] of Object.entries(raw)) {
    if (field === 'summary') continue
    const spec = inputById.get(`node.${field}`)
    const where = { field: `${name}.${field}`, value, origin: file }
    if (spec === undefined || !allowed.includes(spec)) {
      const near = nearest(
        field,
        allowed.map(({ id }) => id.slice('node.'.length)),
      )
      faults.push({ ...where, fault: `is unknown${near === undefined ? '' : `; did you mean ${near}?`}` })
      continue
    }
    const amount = readAmount(value, spec.unit)
    if ('fault' in amount) faults.push({ ...where, fault: amount.fault })
    else if (amount.value < spec.min || amount.value > spec.max)
      faults.push({ ...where, fault: `must be from ${spec.min} to ${spec.max}` })
    else inputs[spec.id] = amount.value
  }
  for (const { id } of wanted) {
    const field = id.slice('node.'.length)
    if (!(field in raw)) faults.push({ field: `${name}.${field}`, value: undefined, origin: file, fault: 'is missing' })
  }
  return { kind: { name, summary: typeof raw.summary === 'string' ? raw.summary : '', inputs }, faults }
}

/**
 * Histories of others, with verdicts that others gave: what Jepsen recorded of a register in etcd, and of a key-value store with
 * gets, puts and appends, as the porcupine checker has them in its tests. They lie outside of this repository.
 */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  checkLists,
  type HistoryTransaction,
  isLinearizable,
  type ListOperation,
  type ObjectModel,
  type ObjectOperation,
} from './index.ts'

const folder = fileURLToPath(new URL('../../../../shared/data/histories', import.meta.url))
const skip = existsSync(folder) ? false : `${folder} is not there`

interface LogLine {
  readonly process: string
  readonly type: string
  readonly what: string
  readonly value: string
}

/** Pairs each call with its answer: calls of one process follow one another, and a process that was not answered calls no more. */
function pairsOf(
  lines: readonly LogLine[],
): { call: LogLine; answer: LogLine | undefined; at: number; until: number }[] {
  const open = new Map<string, { call: LogLine; answer: LogLine | undefined; at: number; until: number }>()
  const pairs = []
  for (const [at, line] of lines.entries()) {
    if (line.type === 'invoke') {
      const pair = { call: line, answer: undefined, at, until: Number.POSITIVE_INFINITY }
      open.set(line.process, pair)
      pairs.push(pair)
      continue
    }
    const pair = open.get(line.process)
    assert.ok(pair !== undefined, `line ${at} answers a call`)
    if (line.type === 'info') continue
    pair.answer = line
    pair.until = at
  }
  return pairs
}

// ---- the register in etcd

type RegisterCall =
  | { readonly kind: 'read'; readonly value: number | undefined }
  | { readonly kind: 'write'; readonly value: number }
  | { readonly kind: 'cas'; readonly from: number; readonly to: number; readonly done: boolean | 'unknown' }

const register: ObjectModel<RegisterCall, number | undefined> = {
  initial: undefined,
  step(state, call) {
    if (call.kind === 'read') return call.value === state ? { state } : undefined
    if (call.kind === 'write') return { state: call.value }
    const isEqual = state === call.from
    if (call.done !== 'unknown' && call.done !== isEqual) return undefined
    return { state: isEqual ? call.to : state }
  },
}

function registerOperations(text: string): ObjectOperation<RegisterCall>[] {
  const lines = [...text.matchAll(/^INFO\s+jepsen\.util - (\d+)\s+:(\w+)\s+:(\w+)\s+(.*)$/gm)]
  const parsed = lines.map(([, process = '', type = '', what = '', value = '']) => ({ process, type, what, value }))
  return pairsOf(parsed).flatMap(({ call, answer, at, until }): ObjectOperation<RegisterCall>[] => {
    const made = (made: RegisterCall) => [{ call: made, startedAt: at, endedAt: until }]
    if (call.what === 'cas') {
      const [, from, to] = /\[(\d+) (\d+)\]/.exec(call.value) ?? []
      const done = answer === undefined ? 'unknown' : answer.type === 'ok'
      return made({ kind: 'cas', from: Number(from), to: Number(to), done })
    }
    if (call.what === 'write') return made({ kind: 'write', value: Number(call.value) })
    // A read that was not answered says nothing.
    if (answer?.type !== 'ok') return []
    return made({ kind: 'read', value: answer.value === 'nil' ? undefined : Number(answer.value) })
  })
}

describe('a register in etcd', { skip }, () => {
  const verdicts = skip === false ? readFileSync(join(folder, 'registers/verdicts.csv'), 'utf8').trim().split('\n') : []
  for (const line of verdicts.slice(1)) {
    const [file = '', verdict] = line.split(',')
    test(`${file}: ${verdict}`, () => {
      const operations = registerOperations(readFileSync(join(folder, 'registers', file), 'utf8'))
      assert.ok(operations.length > 50)
      assert.equal(String(isLinearizable(operations, register)), verdict)
    })
  }
})

// ---- the key-value store

interface TextCall {
  readonly kind: 'get' | 'put' | 'append'
  readonly value: string
}

const text: ObjectModel<TextCall, string> = {
  initial: '',
  step(state, { kind, value }) {
    if (kind === 'get') return value === state ? { state } : undefined
    return { state: kind === 'put' ? value : state + value }
  },
}

/** The operations on each key, in the order of their calls. */
function textOperations(source: string): Map<string, ObjectOperation<TextCall>[]> {
  const pattern = /:process (\d+), :type :(\w+), :f :(\w+), :key "([^"]*)", :value (?:"([^"]*)"|nil)/g
  const lines = [...source.matchAll(pattern)].map(([, process = '', type = '', f = '', key = '', value = '']) => ({
    process,
    type,
    what: `${f} ${key}`,
    value,
  }))
  const keys = new Map<string, ObjectOperation<TextCall>[]>()
  for (const { call, answer, at, until } of pairsOf(lines)) {
    const [kind = '', key = ''] = call.what.split(' ')
    if (kind === 'get' && answer === undefined) continue
    const operation = { kind: kind as TextCall['kind'], value: kind === 'get' ? (answer?.value ?? '') : call.value }
    keys.set(key, [...(keys.get(key) ?? []), { call: operation, startedAt: at, endedAt: until }])
  }
  return keys
}

/**
 * As a history of lists, each text being the list of what was appended. A put would begin a new list, and clients began to count
 * anew: keys with a put, or with an append that was made twice, are left out.
 */
function asLists(keys: ReturnType<typeof textOperations>): HistoryTransaction<ListOperation>[] {
  return [...keys]
    .filter(([, operations]) => {
      const appended = operations.flatMap(({ call }) => (call.kind === 'append' ? [call.value] : []))
      return operations.every(({ call }) => call.kind !== 'put') && new Set(appended).size === appended.length
    })
    .flatMap(([key, operations]) =>
      operations.map(({ call: { kind, value }, startedAt, endedAt }): HistoryTransaction<ListOperation> => {
        const operation: ListOperation =
          kind === 'get'
            ? { kind: 'read-list', key, values: value.match(/x \d+ \d+ y/g) ?? [] }
            : { kind: 'append', key, value }
        const outcome = endedAt === Number.POSITIVE_INFINITY ? 'unknown' : 'committed'
        return { operations: [operation], outcome, startedAt, endedAt }
      }),
    )
}

describe('a key-value store with appends', { skip }, () => {
  for (const clients of ['c01', 'c10']) {
    for (const verdict of ['ok', 'bad']) {
      test(`${clients}-${verdict}`, () => {
        const keys = textOperations(readFileSync(join(folder, `${clients}-${verdict}.txt`), 'utf8'))
        const wrong = [...keys].filter(([, operations]) => !isLinearizable(operations, text)).map(([key]) => key)
        assert.equal(wrong.length > 0, verdict === 'bad', `keys ${wrong}`)
        const lists = asLists(keys)
        const found = checkLists(lists, { realTime: true })
        const wrongLists = wrong.filter((key) => lists.some(({ operations: [first] }) => first?.key === key))
        assert.equal(found.isSerializable, wrongLists.length === 0, JSON.stringify(found.anomalies))
      })
    }
  }
})

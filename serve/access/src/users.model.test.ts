/** Random rules: the text of a user makes the same user again, and what it may do follows from its rules in their order. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { Catalogue, type CatalogueEntry, commandClasses } from './catalogue.ts'
import { bytesOf } from './text.ts'
import { Users } from './users.ts'

const rounds = 200

function randomEntries(random: Random): CatalogueEntry[] {
  const entries: CatalogueEntry[] = []
  const classes = (): string[] => commandClasses.filter(() => random.chance(4))
  for (let i = 0; i < 12; i++) {
    entries.push({ name: `c${i}`, classes: classes(), isOpen: false })
    for (let j = 0; j < 3 && i % 3 === 0; j++) entries.push({ name: `c${i}|s${j}`, classes: classes(), isOpen: false })
  }
  return entries
}

/** Which commands rules allow: the simplest way to say it. */
function twin(entries: readonly CatalogueEntry[], rules: readonly string[]): Set<string> {
  const allowed = new Set<string>()
  for (const rule of rules) {
    const name = rule.slice(1)
    for (const entry of entries) {
      const isMeant =
        name === '@all' ||
        (name[0] === '@' ? entry.classes.includes(name.slice(1)) : `${entry.name}|`.startsWith(`${name}|`))
      if (!isMeant) continue
      if (rule[0] === '+') allowed.add(entry.name)
      else allowed.delete(entry.name)
    }
  }
  return allowed
}

for (const seed of seedsFor('access rules', { kept: [1], fresh: 3 })) {
  test(`rules and their text agree, ORBIT_SEED=${seed}`, () => {
    const random = new Random(seed)
    const entries = randomEntries(random)
    const catalogue = new Catalogue(entries)
    for (let round = 0; round < rounds; round++) {
      const users = new Users({ catalogue, hasChannelsAtFirst: random.chance(2) })
      const rules: string[] = []
      for (let i = random.below(12); i >= 0; i--) {
        const what = random.chance(2) ? random.pick(entries).name : `@${random.pick([...commandClasses, 'all'])}`
        rules.push(`${random.pick(['+', '-'])}${what}`)
        users.set('u', [rules.at(-1) as string])
      }
      const expected = twin(entries, rules)
      const patterns = Array.from(
        { length: random.below(4) },
        () => `%${random.pick(['R', 'W', 'RW'])}~k${random.below(3)}*`,
      )
      users.set('u', patterns)
      const copy = new Users({ catalogue, hasChannelsAtFirst: users.hasChannelsAtFirst })
      copy.load(users.lines.join('\n'))
      for (const one of [users, copy]) {
        const allowed = entries.filter(({ name }) => mayRun(one, name)).map(({ name }) => name)
        assert.deepEqual(
          allowed,
          entries.map(({ name }) => name).filter((name) => expected.has(name)),
          rules.join(' '),
        )
      }
      for (let i = 0; i < 10; i++) {
        const name = `k${random.below(4)}x`
        const use = { isRead: random.chance(2), isWritten: random.chance(2) }
        const answers = [users, copy].map((one) => mayUse(one, name, use))
        assert.deepEqual(
          answers,
          [patternsAllow(patterns, name, use), patternsAllow(patterns, name, use)],
          patterns.join(),
        )
      }
    }

    function mayRun(users: Users, name: string): boolean {
      const command = catalogue.numberOf(name) as number
      const none = { keys: [], channels: [], keyCount: 0, channelCount: 0, touchesUnknownKeys: false }
      const use = { command, firstArgument: () => undefined, ...none }
      return users.get('u')?.denies(use) === undefined
    }
  })
}

interface UseOfKey {
  readonly isRead: boolean
  readonly isWritten: boolean
}

function mayUse(users: Users, name: string, use: UseOfKey): boolean {
  const selector = users.get('u')?.selectors[0]
  return selector?.allowsKey({ bytes: bytesOf(name), start: 0, end: name.length, ...use }) === true
}

/** A pattern given once to read and once to write allows both. */
function patternsAllow(patterns: readonly string[], name: string, { isRead, isWritten }: UseOfKey): boolean {
  const matching = patterns.filter((pattern) => name.startsWith(pattern.slice(pattern.indexOf('~') + 1, -1)))
  const canRead = matching.some((pattern) => pattern.slice(1, pattern.indexOf('~')).includes('R'))
  const canWrite = matching.some((pattern) => pattern.slice(1, pattern.indexOf('~')).includes('W'))
  return matching.length > 0 && (!isRead || canRead) && (!isWritten || canWrite)
}

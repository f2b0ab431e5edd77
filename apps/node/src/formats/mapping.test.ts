/** Which key and value a record becomes, and what is told about one that becomes none. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { csvMapping, type Entry, type MappingFlags, ndjsonMapping, type Unmapped } from './mapping.ts'

const none: MappingFlags = { key: undefined, keyTemplate: undefined, separator: ':', value: undefined }
const columns = ['id', 'name', 'a"b']

/** `key = value`, with its expiry if it has one; the fault of what is none. */
function shown(result: Entry | Unmapped): string {
  if ('fault' in result) return `${result.field}: ${result.fault}`
  const expiry = result.expiresAt === 0 ? '' : ` until ${result.expiresAt}`
  return `${Buffer.from(result.key).toString('latin1')} = ${Buffer.from(result.value).toString('latin1')}${expiry}`
}

const csv = (flags: Partial<MappingFlags>, record: string[], number = 1, header = columns) =>
  shown(csvMapping('f.csv', header, { ...none, ...flags })(record, number))
const json = (flags: Partial<MappingFlags>, text: string, number = 1) =>
  shown(ndjsonMapping({ ...none, ...flags })({ fields: JSON.parse(text), text }, number))

test('a row becomes a JSON object in the order of its columns, under the columns of --key', () => {
  assert.equal(csv({ key: 'id' }, ['7', 'Ada', 'x']), '7 = {"id":"7","name":"Ada","a\\"b":"x"}')
  assert.equal(
    csv({ key: 'name,id', separator: '/' }, ['7', 'Ada', 'x'], 1),
    'Ada/7 = {"id":"7","name":"Ada","a\\"b":"x"}',
  )
  assert.equal(csv({ key: '2', value: '1' }, ['a', 'b'], 1, ['1', '2']), 'b = a')
  assert.equal(
    csv({ key: '2' }, ['a', 'b'], 1, ['2', '1']),
    'a = {"2":"a","1":"b"}',
    'columns named like numbers keep their order',
  )
  assert.equal(csv({ key: '__proto__' }, ['a'], 1, ['__proto__']), 'a = {"__proto__":"a"}')
})

test('the number of the record, in ten digits, in lists and templates', () => {
  assert.equal(csv({ key: 'id,{row}', value: 'name' }, ['7', 'Ada', ''], 42), '7:0000000042 = Ada')
  assert.equal(csv({ keyTemplate: 'o:{id}/{row}{{}}', value: 'name' }, ['7', 'Ada', ''], 42), 'o:7/0000000042{} = Ada')
  assert.equal(json({ keyTemplate: '{row}' }, '{"row":1}', 3), '0000000003 = {"row":1}')
})

test('templates and columns that make no sense are refused', () => {
  const refuses = (code: string, flags: Partial<MappingFlags>) =>
    assert.throws(
      () => csv(flags, ['7', 'Ada', '']),
      (error) => hasCode(error, code),
      JSON.stringify(flags),
    )
  refuses('cli.flag_invalid', { keyTemplate: 'no column' })
  refuses('cli.flag_invalid', { keyTemplate: '{id' })
  refuses('cli.flag_invalid', { keyTemplate: '{id}}' })
  refuses('cli.no_key_column', { keyTemplate: '{nobody}' })
  refuses('cli.no_key_column', { key: 'nobody' })
  refuses('cli.no_key_column', { key: 'id', value: 'nobody' })
  refuses('cli.flags_conflict', { key: 'id', keyTemplate: '{id}' })
  refuses('cli.key_needed', {})
})

test('a row with too few or too many fields is told with the counts', () => {
  assert.equal(csv({ key: 'id' }, ['7', 'Ada']), '1: has 2 fields, the header has 3')
  assert.equal(csv({ key: 'id' }, ['7', 'Ada', 'x', 'y']), '2: has 4 fields, the header has 3')
})

test('what export writes as CSV: text, base64, expiry; columns in any order', () => {
  const header = ['value', 'key', 'encoding', 'expires_at']
  assert.equal(csv({}, ['v', 'k', 'utf8', ''], 1, header), 'k = v')
  assert.equal(csv({}, ['/w==', 'aw==', 'base64', '1700'], 1, header), 'k = \xff until 1700')
  assert.equal(csv({}, ['v', 'k'], 1, ['value', 'key']), 'k = v')
  assert.equal(csv({}, ['v', 'k!', 'base64', ''], 1, header), '1: key is not base64')
  assert.equal(csv({}, ['v', 'aw==', 'base64', ''], 1, header), '0: value is not base64')
  assert.match(csv({}, ['v', 'k', 'rot13', ''], 1, header), /^2: encoding is "rot13"/)
  assert.match(csv({}, ['v', 'k', '', 'soon'], 1, header), /^3: expires_at is not a time/)
})

test('what export writes as NDJSON, and nothing that would be lost', () => {
  assert.equal(json({}, '{"key":"k","value":{"base64":"/w=="},"expires_at":5}'), 'k = \xff until 5')
  assert.match(json({}, '{"key":"k"}'), /has no "key" and "value"/)
  assert.match(json({}, '{"key":1,"value":"v"}'), /"key" must be a text/)
  assert.match(json({}, '{"key":"k","value":{"base64":"/w="}}'), /"value" is not base64/)
  assert.match(json({}, '{"key":"k","value":{"base64":"/w==","more":1}}'), /"value" must be a text/)
  assert.match(json({}, '{"key":"k","value":"\\ud800"}'), /half of a surrogate pair/)
  assert.match(json({}, '{"key":"k","value":"v","color":"red"}'), /has "color" besides/)
  assert.match(json({}, '{"key":"k","value":"v","expires_at":-1}'), /"expires_at" is not a time/)
})

test('fields of other objects: the line as it stands is the value, numbers in keys are exact or refused', () => {
  assert.equal(json({ key: 'id' }, '{"id":12, "x":1.50}'), '12 = {"id":12, "x":1.50}')
  assert.equal(json({ key: 'id,b' }, '{"id":"x","b":true}'), 'x:true = {"id":"x","b":true}')
  assert.equal(json({ key: 'id', value: 'v' }, '{"id":"x","v":"text"}'), 'x = text')
  assert.match(json({ key: 'id' }, '{"id":12345678901234567890}'), /too large a number to be exact/)
  assert.match(json({ key: 'id' }, '{"id":{}}'), /must be a text or a number/)
  assert.match(json({ key: 'toString' }, '{"id":1}'), /must be a text or a number/)
})

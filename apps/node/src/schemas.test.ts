/** The check of documents against schemas can fail: each kind of difference is found. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, schemas } from './schemas.ts'

test('documents that fit have no differences', () => {
  assert.deepEqual(differences({ key: 'a', found: true, value: { base64: '' } }, schemas.get.fields), [])
  assert.deepEqual(differences({ key: 'a', found: false }, schemas.get.fields), [])
  assert.deepEqual(differences({ deleted: 1, keys: [{ key: 'a', deleted: true }] }, schemas.del.fields), [])
})

test('every kind of difference is named with its place', () => {
  assert.deepEqual(differences({ key: 5, found: 'yes', more: 1 }, schemas.get.fields), [
    'more is not in the schema',
    'key is neither text nor base64',
    'found is no boolean',
  ])
  assert.deepEqual(differences({ deleted: 1, keys: [{ key: 'a' }] }, schemas.del.fields), [
    'keys[0].deleted is missing',
  ])
  assert.deepEqual(differences({ deleted: null, keys: {} }, schemas.del.fields), ['deleted is null', 'keys is no list'])
  assert.deepEqual(differences([], schemas.get.fields), ['the document is no object'])
  assert.deepEqual(differences({ level: 'info', message: 'm', time: 't', more: 1 }, schemas.log.fields, true), [])
})

/**
 * Encryption of backup objects: AES-256-GCM, each object under a random nonce of its own, bound to its name.
 *
 *   0 `ORBITENC` | 8 nonce, 12 bytes | 20 ciphertext | 16 bytes tag at the end
 *
 * What must hold: the object's name is authenticated too, so that nobody can put one object in the place of another. A key
 * is used for at most 2^32 objects.
 */

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { KiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import type { Clock, RandomUint32 } from '@orbitkv/runtime'
import { backupErrors } from './errors.ts'

const magic = encodeText('ORBITENC')
const nonceBytes = 12
const headBytes = magic.length + nonceBytes
const tagBytes = 16
/** Between two turns of the event loop; the memory for so much is used again and again. */
const stepBytes = 256 * KiB

/** Takes 64 hexadecimal digits or base64; throws `backup.bad_key`. */
export function parseKey(text: string): Uint8Array {
  const trimmed = text.trim()
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : /^[A-Za-z0-9+/]{43}=$/.test(trimmed)
      ? Buffer.from(trimmed, 'base64')
      : undefined
  if (key === undefined) throw backupErrors.bad_key()
  return key
}

export class Cipher {
  readonly #key: Uint8Array
  readonly #randomUint32: RandomUint32
  /** Tells keys apart without telling anything of them. */
  readonly keyId: string

  constructor(key: Uint8Array, randomUint32: RandomUint32) {
    this.#key = key
    this.#randomUint32 = randomUint32
    this.keyId = createHmac('sha256', key).update('orbitkv backup').digest('hex').slice(0, 8)
  }

  async encrypt(name: string, plain: Uint8Array, clock: Clock): Promise<Uint8Array> {
    const nonce = new Uint8Array(Uint32Array.from({ length: 3 }, () => this.#randomUint32()).buffer)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    cipher.setAAD(encodeText(name))
    const out = Buffer.allocUnsafeSlow(headBytes + plain.length + tagBytes)
    out.set(magic)
    out.set(nonce, magic.length)
    for (let at = 0; at < plain.length; at += stepBytes) {
      out.set(cipher.update(plain.subarray(at, at + stepBytes)), headBytes + at)
      await clock.turn()
    }
    cipher.final()
    out.set(cipher.getAuthTag(), headBytes + plain.length)
    return out
  }

  /** Throws `backup.wrong_key`. */
  async decrypt(name: string, where: string, stored: Uint8Array, clock: Clock): Promise<Uint8Array> {
    const plain = Buffer.allocUnsafeSlow(Math.max(0, stored.length - headBytes - tagBytes))
    try {
      const cipher = createDecipheriv('aes-256-gcm', this.#key, stored.subarray(magic.length, headBytes))
      cipher.setAAD(encodeText(name))
      cipher.setAuthTag(stored.subarray(stored.length - tagBytes))
      for (let at = 0; at < plain.length; at += stepBytes) {
        const end = Math.min(plain.length, at + stepBytes)
        plain.set(cipher.update(stored.subarray(headBytes + at, headBytes + end)), at)
        await clock.turn()
      }
      cipher.final()
    } catch (error) {
      throw backupErrors.wrong_key({ object: name, where }, error)
    }
    return plain
  }
}

export function isEncrypted(stored: Uint8Array): boolean {
  return stored.length >= headBytes + tagBytes && magic.every((byte, i) => stored[i] === byte)
}

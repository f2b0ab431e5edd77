/** For tests: an engine whose disk failed or lost its power. Only coded refusals are expected of it; anything else is a fault of ours. */

import assert from 'node:assert/strict'
import { OrbitError } from '@orbitkv/base'
import type { Engine } from '@orbitkv/engine'

/** Throws what is not a refusal by name. */
export function assertRefusal(error: unknown): void {
  assert.ok(error instanceof OrbitError, `not a refusal by name: ${String(error)}`)
}

/** Gives back what it holds in this process; it may refuse to close properly. */
export async function closeCrashed(engine: Engine): Promise<void> {
  try {
    await engine.close()
  } catch (error) {
    assertRefusal(error)
  }
}

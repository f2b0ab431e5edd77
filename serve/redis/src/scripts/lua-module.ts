/**
 * The module of the Lua machine, compiled once for a process: 205 KB, read from the package that brings it.
 */

import { fileURLToPath } from 'node:url'
import { realDisk } from '@orbitkv/runtime'
import { type WasmModule, wasm } from './wasm.ts'

let compiled: Promise<WasmModule> | undefined

export function luaModule(): Promise<WasmModule> {
  compiled ??= compile()
  return compiled
}

async function compile(): Promise<WasmModule> {
  const { LuaWasmModule } = await import('lua-redis-wasm')
  const file = realDisk().open(fileURLToPath(LuaWasmModule.defaultWasmPath()), 'read')
  try {
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    return await wasm.compile(bytes)
  } finally {
    file.close()
  }
}

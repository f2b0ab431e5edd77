/**
 * The Lua machine: Lua 5.1 as Redis has it (with cjson, cmsgpack, struct and bit), compiled to WebAssembly by the package
 * lua-redis-wasm. This file is its host: it gives it memory that cannot grow, answers its calls, and stops it.
 *
 * What must hold: what runs inside reaches nothing but the functions given here: no files, no clock, no JavaScript. It
 * holds at most the memory that the module declares. A script that is stopped is stopped for good: the machine is thrown
 * away with it and the next script gets a new one, so that nothing a script does to it outlives that.
 *
 * The machine counts instructions with a hook of its own, which raises an error that a script may catch. It is replaced
 * by one of ours (see `takeHook`), which throws through the whole machine instead. Bytes passed in and out are described
 * in docs/abi.md of the package; its exact version is pinned.
 */

import { assert, MiB } from '@orbitkv/base'
import { encodeText } from '@orbitkv/bytes'
import { luaEntry, luaSetup } from './lua-driver.ts'
import { type Bytes, valueKinds } from './lua-values.ts'
import { type WasmImports, type WasmModule, type WasmTable, wasm } from './wasm.ts'

/** What a machine asks of whoever runs scripts. */
export interface LuaHost {
  /** Runs a command, whose arguments are encoded at `[start, end)` of the machine's memory; returns its reply, encoded. */
  command(memory: Uint8Array, start: number, end: number): Bytes
  log(level: number, text: string): void
  useProtocol(version: 2 | 3): void
  sha1(bytes: Uint8Array): string
  /** Called every hundred instructions or so; throws to end the script. */
  tick(): void
}

/** The functions of the module that are used. Pointers and lengths are in bytes. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly __indirect_function_table: WasmTable
  __wasm_call_ctors(): void
  set_compat(flags: number): void
  init(): number
  eval(result: number, script: number, scriptBytes: number): void
  eval_with_args(
    result: number,
    script: number,
    scriptBytes: number,
    list: number,
    listBytes: number,
    keys: number,
  ): void
  alloc(bytes: number): number
  free_mem(pointer: number): void
  setThrew(threw: number, value: number): void
  _emscripten_stack_restore(pointer: number): void
  emscripten_stack_get_current(): number
}

/** The script asked for more than the machine has, or did what it cannot go on after. */
export class LuaMachineFailed extends Error {
  override readonly name = 'LuaMachineFailed'
}

/** How Lua returns to where an error is caught: the only thing thrown that stays inside. One for all, since making one is slow. */
const longJump = new Error('a jump of Lua left the machine')

export const instructionsPerTick = 100
const hookMaskCount = 8
const hookStepOfModule = 1000
const pairBytes = 8
const setup = encodeText(luaSetup)
const entry = encodeText(luaEntry)
/** The state of Lua is made when there is little else. */
const stateEndMax = 2 * MiB

export class LuaMachine {
  readonly memory: Uint8Array
  readonly #view: DataView
  readonly #exports: Exports
  readonly #host: LuaHost
  /** For pointer and length of a result. */
  readonly #pair: number
  readonly #entry: number

  constructor(module: WasmModule, host: LuaHost) {
    this.#host = host
    const instance = new wasm.Instance(module, this.#imports())
    const exports = instance.exports as unknown as Exports
    this.#exports = exports
    this.memory = new Uint8Array(exports.memory.buffer)
    this.#view = new DataView(exports.memory.buffer)
    exports.__wasm_call_ctors()
    // Redis 7.0: no `print`, no `os`, no `server`.
    exports.set_compat(0)
    assert(exports.init() === 0, 'the Lua machine starts')
    this.#takeHook()
    this.#pair = this.#allocate(pairBytes)
    this.#entry = this.#put(entry)
  }

  /**
   * Runs a script: `list` is the encoded list of its keys, its arguments, its text and `run` or `compile`. `take` reads
   * the encoded result (see lua-driver.ts).
   */
  run(list: Bytes, keys: number, take: (memory: Uint8Array, start: number, end: number) => void): void {
    const listAt = this.#put(list.bytes, list.length)
    this.#exports.eval_with_args(this.#pair, this.#entry, entry.length, listAt, list.length, keys)
    this.#exports.free_mem(listAt)
    const result = this.#view.getUint32(this.#pair, true)
    const length = this.#view.getUint32(this.#pair + 4, true)
    if (result === 0) throw new LuaMachineFailed('not enough memory for the reply')
    take(this.memory, result, result + length)
    this.#exports.free_mem(result)
  }

  /** The module asks for more of the table `redis` when it has made it, and before it locks the globals. */
  #setUp(): void {
    const exports = this.#exports
    const pair = this.#allocate(pairBytes)
    exports.eval(pair, this.#put(setup), setup.length)
    const result = this.#view.getUint32(pair, true)
    assert(this.memory[result] === valueKinds.integer, 'what is to surround scripts runs')
  }

  #imports(): WasmImports {
    const refuse = () => {
      throw new LuaMachineFailed('not enough memory')
    }
    const noFiles = () => -1
    const answer = (result: number, encoded: Bytes) => this.#answer(result, encoded.bytes, encoded.length)
    const command = (result: number, start: number, length: number) =>
      answer(result, this.#host.command(this.memory, start, start + length))
    return {
      env: {
        host_redis_call: command,
        host_redis_pcall: command,
        host_redis_log: (level: number, start: number, length: number) =>
          this.#host.log(level, Buffer.from(this.memory.buffer, start, length).toString()),
        host_redis_setresp: (version: number) => this.#host.useProtocol(version === 3 ? 3 : 2),
        host_redis_props: (result: number) => {
          this.#setUp()
          this.#view.setUint32(result, 0, true)
          this.#view.setUint32(result + 4, 0, true)
        },
        host_sha1hex: (result: number, start: number, length: number) => {
          const text = Buffer.from(this.#host.sha1(this.memory.subarray(start, start + length)))
          this.#answer(result, text, text.length)
        },
        invoke_vii: (index: number, a: number, b: number) => this.#invoke(index, a, b),
        _emscripten_throw_longjmp: () => {
          throw longJump
        },
        exit: refuse,
        _abort_js: refuse,
        __assert_fail: refuse,
        emscripten_resize_heap: () => 0,
        __syscall_openat: noFiles,
        __syscall_fcntl64: noFiles,
        __syscall_ioctl: noFiles,
        __syscall_dup3: noFiles,
      },
      wasi_snapshot_preview1: {
        clock_time_get: noFiles,
        fd_write: noFiles,
        fd_read: noFiles,
        fd_close: noFiles,
        fd_seek: noFiles,
      },
    }
  }

  /** A protected call: an error of Lua ends here, anything else goes through. */
  #invoke(index: number, a: number, b: number): void {
    const { __indirect_function_table: table } = this.#exports
    const stack = this.#exports.emscripten_stack_get_current()
    try {
      ;(table.get(index) as (a: number, b: number) => void)(a, b)
    } catch (error) {
      this.#exports._emscripten_stack_restore(stack)
      if (error !== longJump) throw error
      this.#exports.setThrew(1, 0)
    }
  }

  #answer(result: number, bytes: Uint8Array, length: number): void {
    const pointer = this.#put(bytes, length)
    this.#view.setUint32(result, pointer, true)
    this.#view.setUint32(result + 4, length, true)
  }

  #put(bytes: Uint8Array, length = bytes.length): number {
    const pointer = this.#allocate(length)
    this.memory.set(length === bytes.length ? bytes : bytes.subarray(0, length), pointer)
    return pointer
  }

  #allocate(bytes: number): number {
    const pointer = this.#exports.alloc(Math.max(bytes, 1))
    if (pointer === 0) throw new LuaMachineFailed('not enough memory')
    return pointer
  }

  /**
   * Puts our hook in the place of the module's own, which is an entry of its table of functions. The state of Lua holds, side by side: the events to call a hook for,
   * whether it may be called, after how many instructions, how many are left, and the hook; with the step that the
   * module sets there is one such place.
   */
  #takeHook(): void {
    const view = this.#view
    const places: number[] = []
    for (let at = 4; at < stateEndMax; at += 4) {
      if (view.getInt32(at, true) !== hookStepOfModule || this.memory[at - 4] !== hookMaskCount) continue
      if (view.getInt32(at + 4, true) <= hookStepOfModule && this.memory[at - 3] === 1) places.push(at)
    }
    assert(places.length === 1, 'the state of Lua is where this version of the package has it')
    const at = places[0] as number
    view.setInt32(at, instructionsPerTick, true)
    view.setInt32(at + 4, instructionsPerTick, true)
    const hook = hookFunction(() => this.#host.tick())
    this.#exports.__indirect_function_table.set(view.getInt32(at + 8, true), hook)
  }
}

/**
 * A module that imports a function of two numbers and exports it: tables take only functions of modules.
 *   magic, version | types: (i32, i32) -> () | import "e" "h" as type 0 | export "h" as function 0
 */
const relay = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x00],
  ...[0x02, 0x07, 0x01, 0x01, 0x65, 0x01, 0x68, 0x00, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x68, 0x00, 0x00],
])

function hookFunction(hook: () => void): unknown {
  const { exports } = new wasm.Instance(new wasm.Module(relay), { e: { h: hook } })
  return exports.h
}

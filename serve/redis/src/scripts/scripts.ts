/**
 * Runs scripts, and keeps them by their digest.
 *
 * What must hold: a script is one batch, as EXEC is: after a crash all that it wrote is there, or nothing. One that fails half-way
 * keeps what it wrote before, as in Redis; one that is stopped, for it ran too long or the machine gave up, has written
 * nothing. Its commands are run like any others, with the rights of its user.
 */

import { type Call, CommandError } from '../commands/command.ts'
import type { RedisLimits } from '../config.ts'
import type { Log } from '../log.ts'
import { Arguments } from '../protocol/arguments.ts'
import type { Reply } from '../protocol/reply.ts'
import { latin1 } from '../protocol/text.ts'
import { runAtomically } from '../transaction.ts'
import { mayPrefix } from './lua-driver.ts'
import { instructionsPerTick, type LuaHost, LuaMachine, LuaMachineFailed } from './lua-machine.ts'
import { LuaReply } from './lua-reply.ts'
import { Bytes, ValueReader, valueKinds } from './lua-values.ts'
import { readScript, type Script, sha1 } from './script.ts'
import { type WasmModule, wasm } from './wasm.ts'

/** A script that is running. */
interface Run {
  readonly script: Script
  readonly call: Call
  readonly mayWrite: boolean
  /** False where memory was short when it began: it may run no command that takes more. */
  readonly mayGrow: boolean
  readonly endsAtMs: number
  ticksLeft: number
}

/** It ran longer than it may. */
class ScriptStopped extends Error {
  override readonly name = 'ScriptStopped'
}

const compileMode = Buffer.from('compile')
const runMode = Buffer.from('run')
const logLevels = ['debug', 'debug', 'info', 'warn'] as const
/** Everything that goes in or out of the machine has to fit into its memory several times. */
const crossingBytesMax = 16 * 1024 * 1024

export class Scripts implements LuaHost {
  /** Lets scripts run what the table of commands keeps from them: for DEBUG. */
  mayRunAll = false
  readonly #module: WasmModule
  readonly #limits: RedisLimits
  readonly #log: Log
  readonly #byDigest = new Map<string, Script>()
  readonly #reply = new LuaReply(crossingBytesMax)
  readonly #arguments = new Arguments()
  readonly #list = new Bytes()
  #bytes = 0
  #machine: LuaMachine | undefined
  #run: Run | undefined

  constructor(module: WasmModule, limits: RedisLimits, log: Log) {
    this.#module = module
    this.#limits = limits
    this.#log = log
  }

  /** Whether the command that runs is one of a script. */
  get isRunning(): boolean {
    return this.#run !== undefined
  }

  /** Of all scripts that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#byDigest.size
  }

  find(digest: string): Script | undefined {
    return this.#byDigest.get(digest.toLowerCase())
  }

  /** Keeps a script of which Lua can make something; its bytes are copied. */
  load(source: Uint8Array): Script {
    const known = this.#byDigest.get(sha1(source))
    if (known !== undefined) return known
    const script = readScript(source.slice())
    if (script.bytes + this.#bytes > this.#limits.scriptsBytesMax) {
      throw new CommandError(`OOM the scripts that are kept may take ${this.#limits.scriptsBytesMax} bytes`)
    }
    this.#fill(script, [], compileMode)
    let fault: string | undefined
    this.#withMachine((machine) =>
      machine.run(this.#list, 0, (memory, start, end) => {
        fault = readOutcome(new ValueReader(memory, start, end)).fault
      }),
    )
    if (fault !== undefined) throw new CommandError(fault)
    this.#byDigest.set(script.digest, script)
    this.#bytes += script.bytes
    return script
  }

  /** Forgets all scripts. */
  flush(): void {
    this.#byDigest.clear()
    this.#bytes = 0
    this.#machine = undefined
  }

  /** Runs a script with `keyCount` keys from the argument `first` on, and its other arguments behind them; encodes its reply. */
  run(call: Call, script: Script, first: number, keyCount: number, mayWrite: boolean): void {
    const { arguments: outer, reply, session, isInTransaction, databases } = call
    const { lastCommand, database } = session
    this.#fill(script, spansOf(outer, first), runMode)
    const endsAtMs = call.server.clock.monotonic() + this.#limits.scriptMs
    const ticksLeft = Math.ceil(this.#limits.scriptInstructionsMax / instructionsPerTick)
    this.#run = { script, call, mayWrite, mayGrow: mayGrow(call, script, mayWrite), endsAtMs, ticksLeft }
    this.#reply.useProtocol(2)
    call.reply = this.#reply
    call.isInTransaction = true
    try {
      runAtomically(call, () => {
        this.#withMachine((machine) =>
          machine.run(this.#list, keyCount, (memory, start, end) =>
            replyOutcome(reply, script, new ValueReader(memory, start, end)),
          ),
        )
      })
    } finally {
      this.#run = undefined
      call.reply = reply
      call.arguments = outer
      call.isInTransaction = isInTransaction
      session.lastCommand = lastCommand
      session.database = database
      databases.enter(call, session)
    }
  }

  // ---- what the machine asks for

  command(memory: Uint8Array, start: number, end: number): Bytes {
    const { call, mayWrite, mayGrow } = this.#run as Run
    const found = this.#arguments
    readList(found, memory, start, end)
    this.#reply.begin()
    const isQuestion = found.count > 1 && latin1(memory, found.start(0), found.end(0)) === mayPrefix
    if (isQuestion) dropFirst(found)
    call.arguments = found
    if (isQuestion) call.executor.answerWhetherAllowed(call)
    else call.executor.runScripted(call, mayWrite, mayGrow)
    return this.#reply.value
  }

  log(level: number, text: string): void {
    this.#log(logLevels[level] ?? 'info', `a script says: ${text}`)
  }

  useProtocol(version: 2 | 3): void {
    this.#reply.useProtocol(version)
  }

  sha1(bytes: Uint8Array): string {
    return sha1(bytes)
  }

  tick(): void {
    const run = this.#run
    if (run === undefined) return
    if (--run.ticksLeft <= 0 || run.call.server.clock.monotonic() > run.endsAtMs) throw new ScriptStopped()
  }

  /** A machine that anything but Lua has left half-way is not used again. */
  #withMachine(use: (machine: LuaMachine) => void): void {
    const machine = this.#machine ?? new LuaMachine(this.#module, this)
    this.#machine = undefined
    try {
      use(machine)
      this.#machine = machine
    } catch (error) {
      if (error instanceof ScriptStopped) throw new CommandError(this.#stoppedText())
      const isMemory = error instanceof LuaMachineFailed || error instanceof wasm.RuntimeError
      if (isMemory || error instanceof RangeError) {
        throw new CommandError(
          `ERR the script needs more memory than it may have: nothing of it was written (${error})`,
        )
      }
      throw error
    }
  }

  #stoppedText(): string {
    const { digest } = (this.#run as Run).script
    return `ERR Script stopped: it ran longer than ${this.#limits.scriptMs} ms, nothing of it was written. script: ${digest}`
  }

  /** What the machine is given: arguments of the script, its text, and what to do with it. */
  #fill({ text }: Script, given: readonly Uint8Array[], mode: Uint8Array): void {
    const list = this.#list
    list.clear()
    list.unsigned(given.length + 2)
    for (const bytes of [...given, text, mode]) {
      if (list.length + bytes.length > crossingBytesMax) {
        throw new CommandError(`ERR a script with its keys and arguments may have ${crossingBytesMax} bytes`)
      }
      list.unsigned(bytes.length)
      list.copy(bytes)
    }
  }
}

/** As Redis decides it: once, when the script begins. */
function mayGrow({ server }: Call, { flags }: Script, mayWrite: boolean): boolean {
  if (!server.memoryLimit.isExceeded || flags?.has('allow-oom') === true) return true
  if (flags !== undefined && mayWrite) {
    throw new CommandError("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'")
  }
  return false
}

function spansOf(found: Arguments, first: number): Uint8Array[] {
  const spans: Uint8Array[] = []
  for (let place = first; place < found.count; place++) {
    spans.push(found.bytes.subarray(found.start(place), found.end(place)))
  }
  return spans
}

/** The arguments of a command as they lie in the memory of the machine. */
function readList(found: Arguments, memory: Uint8Array, start: number, end: number): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
  found.bytes = memory
  found.count = 0
  for (let at = start + 4; at < end; ) {
    const length = view.getUint32(at, true)
    found.add(at + 4, at + 4 + length)
    at += 4 + length
  }
}

function dropFirst(found: Arguments): void {
  found.starts.copyWithin(0, 1, found.count)
  found.ends.copyWithin(0, 1, found.count)
  found.count--
}

interface Outcome {
  /** What went wrong; undefined where a value follows, or nothing. */
  readonly fault: string | undefined
  readonly line: string | undefined
  readonly hasValue: boolean
}

/** Reads what the driver returns (lua-driver.ts) up to the value. */
function readOutcome(reader: ValueReader): Outcome {
  const { kind, length: count } = reader.header()
  if (kind !== valueKinds.array) {
    if (kind === valueKinds.scriptError) reader.skip(4)
    const text = reader.text(kind === valueKinds.scriptError ? count - 4 : count)
    return { fault: text.startsWith('ERR ') ? text : `ERR ${text}`, line: undefined, hasValue: false }
  }
  reader.header()
  const protocol = reader.integer()
  if (protocol !== 0n) {
    reader.hasBooleans = protocol === 3n
    return { fault: undefined, line: undefined, hasValue: count > 1 }
  }
  const fault = reader.text(reader.header().length)
  return { fault, line: count > 2 ? reader.text(reader.header().length) : undefined, hasValue: false }
}

function replyOutcome(reply: Reply, { digest, text }: Script, reader: ValueReader): void {
  const { fault, line, hasValue } = readOutcome(reader)
  if (fault === undefined) {
    if (hasValue) reader.reply(reply)
    else reply.null()
    return
  }
  // Lua forgets the line of a call behind `return`; in a script of one line there is no other.
  const shown = line ?? (text.includes(0x0a) ? undefined : '1')
  reply.error(
    shown === undefined ? `${fault} script: ${digest}` : `${fault} script: ${digest}, on @user_script:${shown}.`,
  )
}

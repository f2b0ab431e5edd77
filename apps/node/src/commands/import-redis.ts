/** `orbit import` of a running Redis. The work is in transfer/redis. */

import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { jsonFromBytes } from '../formats/encoding.ts'
import { stoppedError } from '../interrupts.ts'
import { isOwnKey } from '../targets/target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted, shortText, thousands } from '../terminal/text.ts'
import type { KeyFault } from '../transfer/folder-records.ts'
import { decodeProgress, encodeProgress, type ProgressRecord, progressKey } from '../transfer/progress-record.ts'
import { parseSourceAddress, type SourceAddress } from '../transfer/redis/address.ts'
import { Mirror, type MirrorProgress, type MirrorResult, type MirrorView } from '../transfer/redis/mirror.ts'
import { type RedisTarget, withRedisTarget } from '../transfer/redis/target.ts'
import { Rejects } from '../transfer/rejects.ts'
import { type ImportSummary, noCounts, rejectsPathOf, summaryLines } from './import-summary.ts'

interface RedisProgress extends ProgressRecord, MirrorProgress {
  readonly source: string
}

interface RedisSummary extends ImportSummary {
  readonly verified: number
  readonly mended: number
  readonly followed: number
  readonly followed_by: 'events' | 'comparisons' | null
}

export async function importRedis(context: Context): Promise<number> {
  const { args, notes, output, json, interrupts } = context
  const address = parseSourceAddress(args.operand(0) as string, args.text('source-password'))
  const summary = await withRedisTarget(context, (target) => importInto(context, address, target))
  const { finished, mended, records, file } = summary
  if (json) await output.json(summary)
  else if (finished) await output.lines(redisLines(summary))
  if (!finished) {
    throw stoppedError(interrupts, `${counted(records, 'key')} of ${file} in the store, the same command continues it`)
  }
  if (mended === 0) return exitCodes.ok.code
  if (args.on('follow')) throw cliErrors.source_still_written({ source: file, mended })
  if (!json) notes.line(`${file} was written to meanwhile; with --follow the copy goes on until nothing differs`)
  return exitCodes.ok.code
}

async function importInto(context: Context, address: SourceAddress, target: RedisTarget): Promise<RedisSummary> {
  const { args, clock, interrupts } = context
  const startedAt = clock.monotonic()
  const key = progressKey(address.url)
  const options = `--format redis --on-error ${args.text('on-error') ?? 'stop'}`
  const from = await earlierProgress(context, address, target, key, options)
  const rejects = rejectsOf(context, address)
  let refused = 0
  let result: MirrorResult
  const mirror = new Mirror({
    address,
    target: target.door,
    valueBytesMax: target.valueBytesMax,
    clock,
    signal: interrupts.signal,
    follows: args.on('follow'),
    from,
    view: viewOf(context),
    async save(progress) {
      const record: RedisProgress = { version: 1, source: address.url, options, ...noCounts, ...progress }
      await rejects?.current.flush()
      await target.door.call('SET', key, encodeProgress(record))
    },
    refuse(fault) {
      if (rejects === undefined)
        throw cliErrors.bad_entry({ source: address.url, key: shortText(fault.key), problem: fault.problem })
      rejects.current.add(fault)
      refused++
    },
    async stageBegins() {
      refused = 0
      await rejects?.begin()
    },
  })
  try {
    result = await mirror.run()
    await rejects?.current.flush()
    const { finished, comparison } = result
    if (finished && comparison?.mended === 0) await target.door.call('DEL', key)
  } finally {
    await rejects?.current.close()
  }
  const { finished, comparison } = result
  const { verified = 0, mended = 0, expired = 0 } = comparison ?? {}
  const rejected = comparison?.refused ?? refused
  return {
    file: address.url,
    target: target.label,
    finished,
    records: comparison === undefined ? result.records : verified + rejected + expired,
    resumed_at: from?.records ?? 0,
    stored: comparison === undefined ? result.records - rejected : verified,
    replaced: 0,
    rejected,
    expired,
    rejects_file: rejected > 0 ? (rejects?.current.path ?? null) : null,
    verified,
    mended,
    followed: result.followed,
    followed_by: result.followedBy ?? null,
    seconds: Math.round(clock.monotonic() - startedAt) / 1000,
  }
}

/** What an interrupted copy of this source left. A target that has anything else is left alone unless --replace is given. */
async function earlierProgress(
  { args, notes, json }: Context,
  { url }: SourceAddress,
  { door, label }: RedisTarget,
  key: Uint8Array,
  options: string,
): Promise<MirrorProgress | undefined> {
  const value = await door.bytes('GET', key)
  if (value === null) {
    const keys = await keysOf(door)
    if (keys > 0 && !args.on('replace')) throw cliErrors.target_not_empty({ target: label, keys })
    return undefined
  }
  if (args.on('restart')) return undefined
  const record = decodeProgress<RedisProgress>(value, url, options)
  if (!json) notes.line(`continuing ${url} after ${counted(record.records, 'key')}`)
  return record
}

/** Keys of the target, those of orbit's own left out. */
async function keysOf(door: RedisTarget['door']): Promise<number> {
  const all = await door.number('DBSIZE')
  const { items } = await door.scan('SCAN', '0', 'COUNT', '512')
  return all - items.filter((key) => isOwnKey(key)).length
}

/** The file of rejects, begun anew with each stage, since each meets all of them. */
function rejectsOf(context: Context, address: SourceAddress): CurrentRejects | undefined {
  const path = rejectsPathOf(context, address.url.replace(/^rediss?:\/\//, '').replaceAll(/[^\w.-]/g, '-'))
  return path === undefined ? undefined : new CurrentRejects(path, address.url)
}

class CurrentRejects {
  readonly #path: string
  readonly #source: string
  current: Rejects<KeyFault>

  constructor(path: string, source: string) {
    this.#path = path
    this.#source = source
    this.current = this.#open()
  }

  async begin(): Promise<void> {
    await this.current.close()
    this.current = this.#open()
  }

  #open(): Rejects<KeyFault> {
    return new Rejects(this.#path, ({ key, problem }) => ({
      file: this.#source,
      key: jsonFromBytes(key),
      problem,
    }))
  }
}

function viewOf({ progress: surface, notes, clock, json }: Context): MirrorView {
  return {
    stage(label, unit, total) {
      const progress = new Progress({ surface, clock, label, unit, total })
      return {
        update: (count) => progress.update(count, total === undefined ? 0 : count),
        finish: () => progress.finish(),
      }
    },
    note(text) {
      if (!json) notes.line(text)
    },
  }
}

function redisLines(summary: RedisSummary): string[] {
  const { file, target, verified, mended, followed, followed_by } = summary
  const lines = summaryLines(summary, 'key')
  if (followed_by !== null) lines.push(`${counted(followed, 'change')} followed by ${followed_by}`)
  lines.push(
    mended === 0
      ? `verified: ${counted(verified, 'key')} compared, ${file} and ${target} are equal`
      : `${counted(verified, 'key')} compared, of which ${thousands(mended)} differed and were brought over again`,
  )
  return lines
}

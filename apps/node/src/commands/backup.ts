/** `orbit backup`: backs a folder up, and lists, checks and removes backups. */

import { backUp, isComplete, type Manifest, pickStore, pruneBackups, type Vault, verifyBackups } from '@orbitkv/backup'
import { assert, formatBytes, hasCode } from '@orbitkv/base'
import { realDisk } from '@orbitkv/runtime'
import { openVault } from '../backup/place.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { stoppedError } from '../interrupts.ts'
import { openFolder } from '../targets/open-target.ts'
import { Progress } from '../terminal/progress.ts'
import { counted, table, thousands } from '../terminal/text.ts'

type Action = (context: Context, vault: Vault) => Promise<number>

const actions: Readonly<Record<string, Action>> = { now, list, verify, prune }

export async function backup(context: Context): Promise<number> {
  const action = actions[context.args.operand(0) ?? 'now'] as Action
  const vault = await openVault(context, '--to')
  try {
    return await staysAlive(() => action(context, vault))
  } finally {
    vault.objects.close()
  }
}

/** Waiting for another attempt must not end the process. */
export async function staysAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const alive = setInterval(() => undefined, 2 ** 30)
  try {
    return await work()
  } finally {
    clearInterval(alive)
  }
}

/** Bytes as they are done; nothing is drawn where there are none. */
export function byteProgress(
  { progress: surface, clock }: Pick<Context, 'progress' | 'clock'>,
  label: string,
): { update(done: number, total: number): void; finish(): void } {
  let progress: Progress | undefined
  return {
    update(done, total) {
      if (total === 0) return
      progress ??= new Progress({ surface, clock, label, unit: 'bytes', total })
      progress.update(done, done)
    },
    finish: () => progress?.finish(),
  }
}

async function now(context: Context, vault: Vault): Promise<number> {
  const { args, config, clock, output, json, interrupts } = context
  const rate = config.effective('backup.bytes_per_second')
  const store = await openFolder(context, 'refuse')
  try {
    const progress = byteProgress(context, `backing up ${store.path}`)
    const { manifest, because } = await backUp(store, {
      vault,
      disk: realDisk(),
      clock,
      kind: args.on('full') ? 'full' : 'incremental',
      // The default is for servers; nobody else has a store that this command may open.
      bytesPerSecond: rate.origin.kind === 'default' ? 0 : Number(rate.value),
      signal: interrupts.signal,
      progress: (done, total) => progress.update(done, total),
    }).catch((error: unknown) => {
      if (!hasCode(error, 'backup.stopped')) throw error
      throw stoppedError(interrupts, 'what was copied will be used by the next backup')
    })
    progress.finish()
    assert(manifest !== undefined, 'a backup that is no archive has a manifest')
    if (json) await output.json({ path: store.path, target: vault.where, ...documentOf(manifest) })
    else {
      const { good } = output.styles
      const reason = because === '' ? '' : ` (${because})`
      await output.lines([
        `${good('backed up')}: ${store.path} to ${vault.where}, ${manifest.kind} backup ${manifest.sequence}${reason}, ${formatBytes(manifest.bytesCopied)} copied of ${formatBytes(manifest.bytesTotal)}, up to revision ${thousands(manifest.end.revision)}`,
      ])
    }
    return exitCodes.ok.code
  } finally {
    await store.close()
  }
}

function documentOf({ storeId, sequence, kind, finishedAt, end, oldest, bytesCopied, bytesTotal }: Manifest): object {
  return {
    store: storeId,
    backup: sequence,
    kind,
    finishedAt: new Date(finishedAt).toISOString(),
    revision: end.revision,
    time: timeText(end.time),
    oldestRevision: oldest.revision,
    bytesCopied,
    bytesTotal,
  }
}

/** A store to which nothing was ever written has no time. */
function timeText(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString()
}

async function list({ output, json, args }: Context, vault: Vault): Promise<number> {
  const wanted = args.text('store')
  const stores = wanted === undefined ? await vault.stores() : [await pickStore(vault, wanted)]
  const found = (await Promise.all(stores.map((store) => vault.manifests(store)))).flat()
  if (json) {
    await output.json({ target: vault.where, backups: found.map(documentOf) })
    return exitCodes.ok.code
  }
  if (found.length === 0) {
    await output.lines([`no backups in ${vault.where}`])
    return exitCodes.ok.code
  }
  const { bold } = output.styles
  for (const store of stores) {
    const own = found.filter(({ storeId }) => storeId === store)
    const complete = own.filter(isComplete)
    const rows = own.map(({ sequence, kind, finishedAt, oldest, end, bytesCopied }) => [
      String(sequence),
      kind,
      new Date(finishedAt).toISOString(),
      `${thousands(oldest.revision)} to ${thousands(end.revision)}`,
      formatBytes(bytesCopied),
    ])
    const timeMax = Math.max(0, ...own.map(({ end }) => end.time))
    output.add(`${bold(`store ${store}`)}, ${counted(complete.length, 'backup')}\n`)
    for (const line of table([['', 'kind', 'made', 'revisions', 'copied'], ...rows], [0, 4])) output.add(`${line}\n`)
    output.add(`up to ${timeText(timeMax) ?? 'the beginning'}\n`)
  }
  await output.flush()
  return exitCodes.ok.code
}

async function verify(context: Context, vault: Vault): Promise<number> {
  const { output, json, args } = context
  const storeId = await pickStore(vault, args.text('store'))
  const progress = byteProgress(context, `checking ${vault.where}`)
  const report = await verifyBackups(vault, storeId, (done, total) => progress.update(done, total))
  progress.finish()
  const { faults, backupsChecked, piecesChecked, bytesChecked } = report
  if (json) {
    await output.json({ target: vault.where, store: storeId, ok: faults.length === 0, ...report })
    return faults.length === 0 ? exitCodes.ok.code : exitCodes.damage.code
  }
  for (const { object, file, problem } of faults) {
    output.add(`${object}${file === '' ? '' : ` (of ${file})`}: ${problem}\n`)
  }
  if (faults.length > 0) {
    await output.flush()
    throw cliErrors.backup_damaged({ faults: faults.length, target: vault.where })
  }
  await output.lines([
    `${output.styles.good('sound')}: ${vault.where}, ${counted(backupsChecked, 'backup')}, ${counted(piecesChecked, 'object')}, ${formatBytes(bytesChecked)}`,
  ])
  return exitCodes.ok.code
}

async function prune({ output, json, args, config, clock, interrupts }: Context, vault: Vault): Promise<number> {
  const storeId = await pickStore(vault, args.text('store'))
  const keepMs = config.number('backup.keep')
  const { signal } = interrupts
  const report = await pruneBackups({ vault, clock, storeId, keepMs, signal })
  const { backupsRemoved, piecesRemoved, backupsKept } = report
  if (json) await output.json({ target: vault.where, store: storeId, ...report })
  else {
    await output.lines([
      `removed ${counted(backupsRemoved, 'backup')} and ${counted(piecesRemoved, 'object')}; ${counted(backupsKept, 'backup')} kept`,
    ])
  }
  return exitCodes.ok.code
}

/** `orbit config check` and `orbit config show`. */

import { formatBytes, formatDuration } from '@orbitkv/base'
import { stringify } from 'smol-toml'
import type { ConfigKey } from '../config/key.ts'
import { type Configuration, type EffectiveValue, faultLine } from '../config/load.ts'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { table } from '../terminal/text.ts'

const hidden = '***'

export async function config(context: Context): Promise<number> {
  const { args, config, output, json } = context
  const failed = config.faults.length > 0
  if (json) await output.json(configJson(config))
  else if (args.operand(0) === 'show') await output.text(configToml(config))
  else await output.lines(checkLines(context))
  // `show` prints what holds even then; the faults go where errors go.
  if (failed && !json && args.operand(0) === 'show')
    for (const fault of config.faults) context.notes.line(`orbit: ${faultLine(fault)}`)
  return failed ? exitCodes.config.code : exitCodes.ok.code
}

function checkLines({ config, output }: Context): string[] {
  const { styles } = output
  const { faults, notes } = config
  const lines: string[] = []
  for (const fault of faults) lines.push(`${styles.bad('fault')}  ${faultLine(fault)}`)
  for (const { key, origin, note } of notes) lines.push(`${styles.accent('note')}   ${origin.label}: ${key}: ${note}`)
  if (faults.length + notes.length > 0) lines.push('')
  const acted = [...config.values.values()].filter(
    ({ key, origin }) => key.later === undefined || origin.kind !== 'default',
  )
  lines.push(
    ...table([
      ['key', 'value', 'from'],
      ...acted.map((value) => [value.key.path, shownValue(value), value.origin.label]),
    ]),
    '',
  )
  const file = config.file === undefined ? 'no configuration file' : config.file
  lines.push(
    faults.length === 0
      ? `${styles.good('ok')}: ${file}`
      : `${styles.bad(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`)}: ${file}`,
  )
  return lines
}

function shownValue({ key, value }: EffectiveValue): string {
  if (key.isSecret && value !== '') return hidden
  if (typeof value === 'number' && key.setting.kind === 'bytes') return formatBytes(value)
  if (typeof value === 'number' && key.setting.kind === 'duration') return formatDuration(value)
  return value === '' ? '""' : String(value)
}

function configJson(config: Configuration): unknown {
  return {
    ok: config.faults.length === 0,
    file: config.file ?? null,
    faults: config.faults.map(({ key, value, origin, fault }) => ({
      key,
      value: value ?? null,
      origin: origin.label,
      fault,
    })),
    notes: config.notes.map(({ key, origin, note }) => ({ key, origin: origin.label, note })),
    values: [...config.values.values()].map(({ key, value, origin }) => ({
      key: key.path,
      value: key.isSecret && value !== '' ? hidden : value,
      origin: origin.label,
      variable: key.aliases[0] ?? key.env,
      acts: key.later === undefined,
    })),
  }
}

/** The keys that this version acts upon, each with its reason; reads back to the same configuration. */
function configToml(config: Configuration): string {
  const sections = new Map<string, EffectiveValue[]>()
  for (const value of config.values.values()) {
    if (value.key.later !== undefined) continue
    const section = sectionOf(value.key)
    sections.set(section, [...(sections.get(section) ?? []), value])
  }
  const blocks = [...sections].map(([section, values]) => {
    const lines = values.flatMap((value) => [`# ${value.key.setting.why} (${value.origin.label})`, tomlLine(value)])
    return [`[${section}]`, ...lines].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

function sectionOf(key: ConfigKey): string {
  return key.path.slice(0, key.path.lastIndexOf('.'))
}

function tomlLine({ key, value }: EffectiveValue): string {
  // A comment, so that what is printed never sets a wrong one.
  if (key.isSecret && value !== '') return `# ${key.path.slice(key.path.lastIndexOf('.') + 1)} is set, and not shown`
  // A bare number is seconds for some durations: with its unit every one reads back.
  const shown = key.setting.kind === 'duration' ? `${value}ms` : value
  return stringify({ [key.path.slice(key.path.lastIndexOf('.') + 1)]: shown }).trim()
}

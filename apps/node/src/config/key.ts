/** A configuration key: where it stands in orbit.toml, which variables hold it, how it is read. */

import type { Setting } from '@orbitkv/base'

export interface ConfigKey {
  /** `persistence.mmap.data_dir` is `data_dir` in the section `[persistence.mmap]`. */
  readonly path: string
  /** Its variable: the path in capitals with underscores, after `ORBIT_`. */
  readonly env: string
  /** Shorter variables with the same meaning. */
  readonly aliases: readonly string[]
  readonly setting: Setting<unknown>
  /** Its value is never shown. */
  readonly isSecret: boolean
  /** This version reads the key but does not act upon it: what will. */
  readonly later?: string
}

export function configKey(
  path: string,
  setting: Setting<unknown>,
  options: { readonly aliases?: readonly string[]; readonly later?: string; readonly isSecret?: boolean } = {},
): ConfigKey {
  return {
    path,
    env: envName(path),
    aliases: options.aliases ?? [],
    setting,
    isSecret: options.isSecret ?? false,
    ...(options.later === undefined ? {} : { later: options.later }),
  }
}

/** `persistence.mmap.data_dir` → `ORBIT_PERSISTENCE_MMAP_DATA_DIR`. */
export function envName(path: string): string {
  return `ORBIT_${path.replaceAll('.', '_').toUpperCase()}`
}

/** `valueBytesMax` → `value_bytes_max`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

/** The range, the choices or the form of a key's value, for people. */
export function rangeText(setting: Setting<unknown>, format: (value: number) => string = String): string {
  if (setting.choices !== undefined) return setting.choices.join(', ')
  if (setting.min !== undefined && setting.max !== undefined) return `${format(setting.min)} to ${format(setting.max)}`
  return setting.kind === 'flag' ? 'true, false' : ''
}

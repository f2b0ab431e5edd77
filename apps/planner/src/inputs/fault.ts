/** What is wrong with an input: where, what was given, and what would be right. Faults are gathered, never thrown singly. */

export interface InputFault {
  /** An input's id, or what was written in its place. */
  readonly field: string
  /** As it was given; undefined where nothing was. */
  readonly value: unknown
  /** `plan.toml`, `--keys`, `preset kv-100b-ops`. */
  readonly origin: string
  /** What is wrong and what would be right. */
  readonly fault: string
}

/** `--keys: data.keys = 0: must be at least 1`. */
export function inputFaultLine({ field, value, origin, fault }: InputFault): string {
  const given = value === undefined ? '' : ` = ${shown(value)}`
  return `${origin}: ${field}${given}: ${fault}`
}

function shown(value: unknown): string {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value)
  return JSON.stringify(value) ?? String(value)
}

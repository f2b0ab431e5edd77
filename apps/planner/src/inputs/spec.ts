/** What an input is; the tables are in demand.ts (what is asked for) and means.ts (what it is done with). */

export interface InputSpec {
  readonly id: string
  readonly unit: string
  readonly label: string
  /** Absent: it must be given. Backends and node kinds have values of their own for some. */
  readonly default?: number
  readonly min: number
  readonly max: number
  readonly isWhole?: true
  /** The flag of `orbit plan` that sets it, without dashes. */
  readonly flag?: string
  /** Asked in the dialogue of `orbit plan init`, in the order of this table. */
  readonly question?: string
  /** Never used by a formula: it is only held against the others, where somebody knows it. */
  readonly isCheckOnly?: true
}

/** A part of a whole. */
export const share = { unit: '1', min: 0, max: 1 } as const
export const bytesMax = 1e21
export const moneyMax = 1e9

/**
 * Coded errors: the only errors that leave a package on purpose.
 *
 * A code is `area.name`, stable for ever; callers compare `error.code`, never the class or the text. Each package
 * declares its errors in one table (`src/errors.ts`); a test keeps `docs/errors.md` in step with the tables.
 */

/** Whether trying again can help: never, once something outside has changed, or at once. */
export type Retry = 'no' | 'later' | 'now'

export interface ErrorSpec {
  readonly retry: Retry
  /** One line; `{name}` is replaced by that detail. Names the thing and, where there is one, the way out. */
  readonly text: string
}

export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

export class OrbitError extends Error {
  override readonly name = 'OrbitError'
  readonly code: string
  readonly retry: Retry
  readonly details: ErrorDetails

  constructor(code: string, spec: ErrorSpec, details: ErrorDetails, cause?: unknown) {
    super(fill(spec.text, details), cause === undefined ? undefined : { cause })
    this.code = code
    this.retry = spec.retry
    this.details = details
  }
}

type ErrorMaker = (details?: ErrorDetails, cause?: unknown) => OrbitError

export type ErrorTable<Names extends string> = Readonly<Record<Names, ErrorMaker>> & {
  readonly area: string
  readonly specs: Readonly<Record<Names, ErrorSpec>>
}

/** Declares the errors of one area: `engineErrors.disk_full({ path })` makes one with code `engine.disk_full`. */
export function defineErrors<Names extends string>(area: string, specs: Record<Names, ErrorSpec>): ErrorTable<Names> {
  const makers: Record<string, unknown> = { area, specs }
  for (const [name, spec] of Object.entries<ErrorSpec>(specs)) {
    const make: ErrorMaker = (details = {}, cause) => new OrbitError(`${area}.${name}`, spec, details, cause)
    makers[name] = make
  }
  return makers as ErrorTable<Names>
}

/** True for an error with this code, whichever copy of this package made it. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code
}

function fill(text: string, details: ErrorDetails): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(details, name) ? String(details[name]) : whole,
  )
}

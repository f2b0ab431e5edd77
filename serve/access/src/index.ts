/** Who may do what: users and their rights, log-in, rate limits; for every front. */

export { Catalogue, type CatalogueEntry, commandClasses } from './catalogue.ts'
export { type AccessLimits, accessConfig } from './config.ts'
export { type DenialContext, type DenialEntry, DenialLog, type DenialReason } from './denials.ts'
export { accessErrors } from './errors.ts'
export { LoginGuard } from './login-guard.ts'
export { type RateDenial, Rates } from './rates.ts'
export type { ChannelUse, KeyUse } from './selector.ts'
export { bytesOf, textOf } from './text.ts'
export { type Denial, type Use, User } from './user.ts'
export { defaultUserName, Users } from './users.ts'

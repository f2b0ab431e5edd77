/** Users that are in no list: who has not logged in, and the server itself. */

import { Catalogue, defaultUserName, User, Users } from '@orbitkv/access'

const nothing = new Catalogue([])

/** Of a connection that has not logged in. Redis shows it as the default user. */
export const stranger: User = new User(defaultUserName, nothing, false)

/** Of what the server runs by itself: everything is allowed. */
export const ourselves: User = new Users({ catalogue: nothing, hasChannelsAtFirst: true }).default

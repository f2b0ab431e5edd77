/** Errors of the store; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

export const storeErrors = defineErrors('store', {
  closed: { retry: 'no', text: 'the store in {path} is closed' },
  snapshot_closed: { retry: 'no', text: 'the snapshot of revision {revision} is closed' },
  committed: { retry: 'no', text: 'this batch is committed already; make a new one with store.batch()' },
  bad_ttl: { retry: 'no', text: 'ttl is {value}: it must be a whole number of milliseconds from 1 to {max}' },
  bad_range: { retry: 'no', text: '{problem}' },
  bad_argument: { retry: 'no', text: '{name} must be {expected}, not {found}' },
})

/** Errors of @orbitkv/level; documented in docs/errors.md. What abstract-level itself refuses has its `LEVEL_*` codes. */

import { defineErrors } from '@orbitkv/base'

export const levelErrors = defineErrors('level', {
  exists: { retry: 'no', text: 'the database in {location} exists already, and errorIfExists is set' },
  collections: {
    retry: 'no',
    text: 'a server keeps a collection under the key {key}, which only that server can delete; nothing was cleared',
  },
  not_open: { retry: 'no', text: 'the database in {location} is not open; await db.open() first' },
})

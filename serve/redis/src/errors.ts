/** Errors of the Redis front towards whoever starts it; what clients see are error replies (replies-of-errors.ts). */

import { defineErrors } from '@orbitkv/base'

export const redisErrors = defineErrors('redis', {
  not_loopback: {
    retry: 'no',
    text: 'the Redis port cannot be bound to {host}: there are no passwords yet, so it stays on this machine; use 127.0.0.1, ::1 or localhost',
  },
})

/** Errors of the Redis front towards whoever starts it; what clients see are error replies (replies-of-errors.ts). */

import { defineErrors } from '@orbitkv/base'

export const redisErrors = defineErrors('redis', {
  not_loopback: {
    retry: 'no',
    text: 'the Redis port cannot be bound to {host} while the default user needs no password: set redis.requirepass or redis.acl_file, or stay on this machine with 127.0.0.1, ::1 or localhost',
  },
})

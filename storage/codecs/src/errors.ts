/** Errors of codecs; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

export const codecErrors = defineErrors('codecs', {
  cannot_encode: { retry: 'no', text: 'the codec {codec} takes {expected}, not {found}' },
  cannot_decode: { retry: 'no', text: 'the codec {codec} cannot read {bytes} bytes: {problem}' },
})

/** Errors of charts; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

export const chartErrors = defineErrors('chart', {
  bad_number: { retry: 'no', text: 'the chart "{title}" cannot show {where}: {value} is not {expected}' },
  bad_shape: { retry: 'no', text: 'the chart "{title}" cannot be drawn: {problem}' },
  bad_option: {
    retry: 'no',
    text: 'a chart cannot have {name} {value}: it must be a whole number from {min} to {max}',
  },
})

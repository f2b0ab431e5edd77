/** Errors of the simulation; documented in docs/errors.md. */

import { defineErrors } from '@orbitkv/base'

export const simulationErrors = defineErrors('simulation', {
  bad_model: { retry: 'no', text: 'this cluster cannot be simulated: {faults}' },
  bad_option: { retry: 'no', text: '{name} is {value}: it must be {expected}' },
})

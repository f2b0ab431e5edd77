/** Errors of the disk and network doors; texts end with the way out. */

import { defineErrors } from '@orbitkv/base'

export const diskErrors = defineErrors('disk', {
  not_found: { retry: 'no', text: '{path} does not exist' },
  exists: { retry: 'no', text: '{path} exists already' },
  not_a_directory: { retry: 'no', text: '{path} is not a folder; name a folder, or a path that does not exist yet' },
  read_only: { retry: 'no', text: '{path} cannot be written ({reason}); make it writable for this user' },
  full: { retry: 'later', text: 'no space left for {path}; free some space on its disk' },
  too_many_open_files: { retry: 'later', text: 'cannot open {path}: too many open files; raise the limit (ulimit -n)' },
  locked: { retry: 'later', text: '{path} is in use by another process or store; close that one first' },
  failed: { retry: 'no', text: '{operation} of {path} failed: {reason}' },
  closed: { retry: 'no', text: '{path} is closed' },
})

export const networkErrors = defineErrors('network', {
  address_in_use: { retry: 'later', text: '{host}:{port} is in use; stop what listens there or choose another port' },
  address_refused: { retry: 'no', text: 'cannot listen on {host}:{port}: {reason}' },
  refused: { retry: 'later', text: 'nothing answers at {host}:{port}; start the server or correct the address' },
  closed: { retry: 'later', text: 'the connection to {host}:{port} is closed' },
  failed: { retry: 'later', text: 'the connection to {host}:{port} failed: {reason}' },
  tls_unusable: { retry: 'no', text: 'the key and certificates for TLS cannot be used: {reason}' },
})

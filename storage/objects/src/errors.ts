/** Errors of object stores; documented in docs/errors.md. `where` names folder, or endpoint and bucket. */

import { defineErrors } from '@orbitkv/base'

export const objectsErrors = defineErrors('objects', {
  bad_key: { retry: 'no', text: '{key} cannot name an object: {problem}' },
  bad_target: { retry: 'no', text: '{target} is no place for objects: {problem}' },
  too_large: { retry: 'no', text: 'the object {key} would have {bytes} bytes, the most is {max}; cut it up' },
  not_found: { retry: 'no', text: 'there is no object {key} in {where}' },
  exists: { retry: 'no', text: 'the object {key} is in {where} already' },
  corrupt: {
    retry: 'no',
    text: 'the object {key} in {where} is damaged at byte {offset}: {problem}; take another copy of it',
  },
  no_bucket: { retry: 'no', text: '{operation} {key}: {where} does not exist; make the bucket, or correct its name' },
  no_credentials: {
    retry: 'no',
    text: 'no credentials for {where}: {reason}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
  },
  credentials_expired: {
    retry: 'later',
    text: '{operation} {key}: the credentials for {where} have expired; renew them',
  },
  denied: { retry: 'no', text: '{operation} {key}: {where} refuses it ({reason}); check credentials and policy' },
  refused: { retry: 'no', text: '{operation} {key}: {where} takes it for a wrong request ({reason})' },
  unreachable: { retry: 'later', text: '{operation} {key}: no answer from {where} in {attempts} attempts ({reason})' },
  overloaded: {
    retry: 'later',
    text: '{operation} {key}: {where} asked for fewer requests {attempts} times ({reason})',
  },
  server_failed: { retry: 'later', text: '{operation} {key}: {where} failed in {attempts} attempts ({reason})' },
  truncated: {
    retry: 'later',
    text: '{operation} {key}: the answer of {where} was cut short in {attempts} attempts ({reason})',
  },
  sdk_missing: {
    retry: 'no',
    text: 'objects in S3 need the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3',
  },
  stopped: { retry: 'later', text: '{operation} {key} in {where} was stopped' },
})

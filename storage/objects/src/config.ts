/** Settings of objects in S3: the section `[persistence.s3]`. */

import { choice, config, count, duration, flag, hour, second, text, type Values } from '@orbitkv/base'

export const s3Config = config({
  endpoint: text({
    default: '',
    why: 'address of the service, such as minio.local:9000; empty is AWS, by the region',
  }),
  region: text({ default: '', why: 'region of the bucket; empty asks the environment and profiles' }),
  bucket: text({ default: '', why: 'the bucket' }),
  prefix: text({ default: 'orbit', why: 'beginning of every object name' }),
  enableSsl: flag({ default: true, why: 'encrypts the connection' }),
  connectionTimeout: duration({
    default: 30 * second,
    min: 1,
    max: 1 * hour,
    why: 'no connection, or no answer, within this is a failed attempt',
  }),
  retryCount: count({ default: 3, min: 0, max: 100, why: 'attempts after the first' }),
  enableServerSideEncryption: flag({ default: true, why: 'asks the service to encrypt objects at rest (AES256)' }),
  serviceChecksums: choice({
    default: 'when_required',
    choices: ['when_required', 'when_supported'],
    why: 'when the SDK adds checksums of its own to requests: some services keep them within the object. Ours are always there',
  }),
})

export type S3Config = Values<typeof s3Config.settings>

/** Object stores: the interface, folders and S3, their settings and errors. */

export { objectBytesMax } from './checksums.ts'
export { type S3Config, s3Config } from './config.ts'
export { objectsErrors } from './errors.ts'
export { FolderObjects, type FolderOptions } from './folder.ts'
export { pause } from './retry.ts'
export { openS3Objects, type S3Options } from './s3.ts'
export { type OpenObjectsOptions, openObjects } from './target.ts'
export type { ObjectInfo, ObjectStore, PutOptions, RequestOptions } from './types.ts'

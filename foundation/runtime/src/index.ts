/** The doors to time, chance, disk and network: their interfaces, and the real ones. */

export { type Clock, realClock, type Timer } from './clock.ts'
export {
  type Disk,
  type DiskFile,
  type DiskLock,
  type MapAdvice,
  type Mapping,
  mapAlignmentBytes,
  type OpenMode,
} from './disk.ts'
export { diskErrors, networkErrors } from './errors.ts'
export { MemoryDisk } from './memory-disk.ts'
export { hugePageBytes, numaNodeCount } from './memory-facts.ts'
export type { Address, Connection, Listener, ListenOptions, Network } from './network.ts'
export { type RandomUint32, realRandomUint32 } from './randomness.ts'
export { realDisk } from './real-disk.ts'
export { realNetwork } from './real-network.ts'
export { type ClientCertificates, createTlsNetwork, type TlsNetwork, type TlsOptions } from './tls-network.ts'
export { writeZeros } from './zeros.ts'

/**
 * The page of metrics of a node: where it listens, and what only the machine knows.
 *
 * A page that cannot be had where nobody asked for it (the default address is taken) is told and done without: the data matter more.
 */

import { statfsSync } from 'node:fs'
import os from 'node:os'
import { OrbitError } from '@orbitkv/base'
import { type Family, type MetricsPage, startMetrics } from '@orbitkv/metrics'
import type { MachineFacts } from '@orbitkv/redis'
import type { Clock, Network } from '@orbitkv/runtime'
import { endpointOf } from '../config/endpoint.ts'
import type { Configuration } from '../config/load.ts'
import type { Logger } from './log.ts'

export interface NodeMetricsOptions {
  readonly config: Configuration
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  /** Called for each scrape. */
  readonly collect: (machine: MachineFacts) => readonly Family[] | Promise<readonly Family[]>
  /** The folder of the store; undefined where it is in memory. */
  readonly folder: string | undefined
}

/** Undefined where the configuration wants none, or nobody asked for the address that is taken. */
export async function startNodeMetrics(options: NodeMetricsOptions): Promise<MetricsPage | undefined> {
  const { config, network, clock, logger, collect, folder } = options
  if (config.get('monitoring.enabled') !== true) return undefined
  const endpoint = config.effective('monitoring.metrics_endpoint')
  const { host, port } = endpointOf(String(endpoint.value))
  try {
    const page = await startMetrics({
      network,
      clock,
      host,
      port,
      collect: () => collect(machineFacts(folder)),
      onError: (error) => logger.log('error', 'the metrics cannot be told', error),
    })
    logger.tell('debug', 'metrics', { url: `http://${page.address.host}:${page.address.port}/metrics` })
    return page
  } catch (error) {
    if (endpoint.origin.kind !== 'default' || !(error instanceof OrbitError)) throw error
    logger.log(
      'warn',
      'there are no metrics: their default address cannot be had (--metrics-port chooses another)',
      error,
    )
    return undefined
  }
}

function machineFacts(folder: string | undefined): MachineFacts {
  const limit = process.constrainedMemory()
  const total = os.totalmem()
  let storageFreeBytes = 0
  if (folder !== undefined) {
    const { bavail, bsize } = statfsSync(folder)
    storageFreeBytes = bavail * bsize
  }
  return { memoryTotalBytes: limit > 0 && limit < total ? limit : total, storageFreeBytes }
}

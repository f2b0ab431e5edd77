/** Steps of several clients, of which some wait: scripts for waiting.test.ts. */

import type { Command } from './type-commands.ts'

/** A step of one client; `blocks`: its reply comes with a later step, or when its time is over. */
export interface Step {
  readonly client: number
  readonly command: Command
  readonly blocks: boolean
}

export const say = (client: number, ...command: Command): Step => ({ client, command, blocks: false })
export const wait = (client: number, ...command: Command): Step => ({ client, command, blocks: true })

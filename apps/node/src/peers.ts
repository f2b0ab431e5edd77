/**
 * Packages that only some imports and exports need. They are heavy, so that nobody gets them who does not ask: whoever
 * does is told the command that installs them.
 */

import { cliErrors } from './errors.ts'

/** `load` imports the package `name`; `what` needs it. Errors: `cli.peer_missing`, `cli.peer_failed`. */
export async function loadPeer<Module>(name: string, what: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // The package itself, and not one that it needs: that would be an installation gone wrong.
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`))
      throw cliErrors.peer_missing({ name, what }, error)
    throw cliErrors.peer_failed({ name, reason: message.split('\n', 1)[0] as string }, error)
  }
}

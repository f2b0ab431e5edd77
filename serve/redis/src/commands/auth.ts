/** AUTH, and the part of HELLO that logs in. */

import { defaultUserName, textOf } from '@orbitkv/access'
import { noPasswords } from '../access/refusals.ts'
import { type Call, CommandError, type CommandSpec, syntaxError } from './command.ts'

export const authCommands: readonly CommandSpec[] = [
  {
    name: 'auth',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    group: 'connection',
    categories: ['connection'],
    since: '1.0.0',
    complexity: 'O(N) for N passwords of the user',
    summary: 'Logs the connection in.',
    syntax: '[username] password',
    difference: 'After some wrong passwords in a row an address has to wait, and is told how long.',
    secretsFrom: 1,
    run: (call) => {
      const { arguments: found, reply, server } = call
      if (found.count > 3) throw new CommandError(syntaxError)
      if (found.count === 3) logIn(call, textOf(found.copy(1)), found.copy(2), 'AUTH')
      else if (server.access.users.default.isOpen) throw new CommandError(noPasswords)
      else logIn(call, defaultUserName, found.copy(1), 'AUTH')
      reply.ok()
    },
  },
]

/** Throws the error reply of a failed attempt. */
export function logIn(call: Call, name: string, password: Uint8Array, command: 'AUTH' | 'HELLO'): void {
  const problem = call.server.access.logIn(call.session, name, password, command)
  if (problem !== undefined) throw new CommandError(problem)
}

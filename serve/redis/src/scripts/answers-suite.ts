/** Commands on scripts, each with its answer: part of the table in commands.test.ts. */

import type { Answer } from '../commands/answers-suite.ts'

const one = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

export const scriptAnswers: readonly (readonly [command: string, answer: Answer])[] = [
  [
    'EVAL return{1,KEYS[1],ARGV[1],false} 1 k a',
    ['*4\r\n:1\r\n$1\r\nk\r\n$1\r\na\r\n$-1\r\n', '*4\r\n:1\r\n$1\r\nk\r\n$1\r\na\r\n_\r\n'],
  ],
  ['EVAL return(redis.call(KEYS[1])) 1 ping', '+PONG\r\n'],
  ['EVAL_RO return{ok=KEYS[1]} 1 fine', '+fine\r\n'],
  [`EVALSHA ${one} 0`, '-NOSCRIPT No matching script. Please use EVAL.\r\n'],
  ['SCRIPT LOAD return\t1', /^\$40\r\n[0-9a-f]{40}\r\n$/],
  [`SCRIPT EXISTS ${one}`, '*1\r\n:0\r\n'],
  [`EVALSHA_RO ${one} 0`, '-NOSCRIPT No matching script. Please use EVAL.\r\n'],
  ['SCRIPT DEBUG YES', '-ERR SCRIPT DEBUG is not offered by this server\r\n'],
  ['SCRIPT KILL', '-NOTBUSY No scripts in execution right now.\r\n'],
  ['SCRIPT FLUSH ASYNC', '+OK\r\n'],
  ['SCRIPT HELP', /SCRIPT <subcommand>/],
  ['FUNCTION FLUSH', '+OK\r\n'],
  ['FUNCTION DELETE x', /^-ERR FUNCTION DELETE is not offered/],
  ['FUNCTION DUMP', /^-ERR FUNCTION DUMP is not offered/],
  ['FUNCTION KILL', /^-ERR FUNCTION KILL is not offered/],
  ['FUNCTION LIST', /^-ERR FUNCTION LIST is not offered/],
  ['FUNCTION LOAD x', /^-ERR FUNCTION LOAD is not offered/],
  ['FUNCTION RESTORE x', /^-ERR FUNCTION RESTORE is not offered/],
  ['FUNCTION STATS', /^-ERR FUNCTION STATS is not offered/],
  ['FUNCTION HELP', /FUNCTION <subcommand>/],
]

/** Commands on users, each with its answer in both versions of the protocol: part of the table in commands.test.ts. */

import type { Answer } from '../commands/answers-suite.ts'

export const accessAnswers: readonly (readonly [command: string, answer: Answer])[] = [
  ['ACL WHOAMI', '$7\r\ndefault\r\n'],
  ['ACL SETUSER ada on >secret ~a* +get', '+OK\r\n'],
  ['ACL USERS', '*2\r\n$3\r\nada\r\n$7\r\ndefault\r\n'],
  ['ACL LIST', /user ada on #[0-9a-f]{64} ~a\* resetchannels -@all \+get/],
  ['ACL GETUSER ada', /^[*%]\d+\r\n\$5\r\nflags\r\n[*~]1\r\n\$2\r\non\r\n\$9\r\npasswords\r\n\*1\r\n\$64\r\n/],
  ['ACL GETUSER nobody', ['$-1\r\n', '_\r\n']],
  ['ACL DRYRUN ada GET a1', '+OK\r\n'],
  ['ACL DRYRUN ada SET a1 x', /This user has no permissions to run the 'set' command/],
  ['ACL CAT', /\$9\r\nscripting\r\n$/],
  ['ACL CAT string', /getrange/],
  ['ACL GENPASS 8', /^\$2\r\n[0-9a-f]{2}\r\n$/],
  ['ACL LOG', '*0\r\n'],
  ['ACL LOG RESET', '+OK\r\n'],
  ['ACL LOAD', /^-ERR This Redis instance is not configured to use an ACL file/],
  ['ACL SAVE', /^-ERR This Redis instance is not configured to use an ACL file/],
  ['ACL DELUSER ada nobody', ':1\r\n'],
  ['ACL HELP', /ACL <subcommand>/],
]

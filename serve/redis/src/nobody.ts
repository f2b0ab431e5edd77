/** The session of a call before its first command, so that there always is one. */

import { ourselves } from './access/people.ts'
import type { Session } from './session.ts'

export const nobody: Session = {
  id: 0,
  remote: { host: '', port: 0 },
  local: { host: '', port: 0 },
  createdMs: 0,
  lastActiveMs: 0,
  protocol: 2,
  outputBytes: 0,
  user: ourselves,
  database: 0,
  connectionName: '',
  libraryName: '',
  libraryVersion: '',
  replyMode: 'on',
  isEvictionExempt: false,
  lastCommand: undefined,
  transaction: undefined,
  watched: undefined,
  isLane: false,
  isBlocked: false,
  subscriptions: undefined,
  requestBytes: 0,
  closeAfterReply: () => {},
  cut: () => {},
}

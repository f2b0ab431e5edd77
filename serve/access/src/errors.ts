/** Errors of users and rules. Texts are those of Redis where it has one: fronts pass them on as they are. */

import { defineErrors } from '@orbitkv/base'

export const accessErrors = defineErrors('access', {
  syntax: { retry: 'no', text: 'Syntax error' },
  unknown_command: { retry: 'no', text: 'Unknown command or category name in ACL' },
  first_argument: { retry: 'no', text: 'Allowing first-arg of a subcommand is not supported' },
  has_all_keys: {
    retry: 'no',
    text: "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  },
  has_all_channels: {
    retry: 'no',
    text: "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  },
  no_such_password: { retry: 'no', text: 'The password you are trying to remove from the user does not exist' },
  bad_hash: {
    retry: 'no',
    text: 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  },
  bad_name: { retry: 'no', text: "Usernames can't contain spaces or null characters" },
  open_parenthesis: { retry: 'no', text: "Unmatched parenthesis in acl selector starting at '{rule}'." },
  bad_rule: { retry: 'no', text: "Error in ACL SETUSER modifier '{rule}': {reason}" },
  bad_file: { retry: 'no', text: '{faults}' },
})

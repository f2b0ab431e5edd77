/** HOST:PORT, as a setting. */

import { assert, type Setting } from '@orbitkv/base'

const form = /^(?:(?<host>[^:\s[\]]+|\[[0-9a-fA-F:.]+\])?:)?(?<port>\d{1,5})$/

/** A port alone is one of this machine. */
export function endpointSetting(standard: string, why: string): Setting<string> {
  return {
    kind: 'text',
    default: standard,
    why,
    parse(raw) {
      const match = form.exec(String(raw))
      if (match === null || Number(match.groups?.port) > 65_535) return { fault: 'must be HOST:PORT, or a port' }
      const { host, port } = endpointOf(String(raw))
      return { value: `${host.includes(':') ? `[${host}]` : host}:${port}` }
    },
  }
}

export function endpointOf(text: string): { readonly host: string; readonly port: number } {
  const groups = form.exec(text)?.groups
  assert(groups !== undefined, 'a setting was checked')
  return { host: groups.host?.replaceAll(/[[\]]/g, '') ?? '127.0.0.1', port: Number(groups.port) }
}

/** Where somebody comes from, as limits see it: what one person can have many of must count as one. */

const groupsOfNetwork = 4

/**
 * The address itself in version 4, also where it comes in the form of version 6; in version 6 the network of 64 bits, since
 * whoever has one address of it has all of them.
 */
export function networkOf(host: string): string {
  if (!host.includes(':')) return host
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)
  if (mapped !== null) return mapped[1] as string
  const [head = '', tail] = host.toLowerCase().split('%', 1)[0]?.split('::', 2) ?? []
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? [] : tail.split(':')
  while (tail !== undefined && groups.length + behind.length < 2 * groupsOfNetwork) groups.push('0')
  const network = [...groups, ...behind].slice(0, groupsOfNetwork)
  return `${network.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

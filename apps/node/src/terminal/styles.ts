/** Colours: only on a terminal, and never where NO_COLOR is set (https://no-color.org) or the terminal is dumb. */

export interface Styles {
  bold(text: string): string
  dim(text: string): string
  accent(text: string): string
  good(text: string): string
  bad(text: string): string
}

const colored: Styles = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  accent: (text) => `\u001b[36m${text}\u001b[39m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
}

const same = (text: string): string => text
export const plain: Styles = { bold: same, dim: same, accent: same, good: same, bad: same }

export function stylesFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Styles {
  const refused = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  return isTerminal && !refused ? colored : plain
}

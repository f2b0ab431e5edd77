/** Classes of key events and the two kinds of channels, as notify-keyspace-events spells them. */

/** In the order in which they are told. */
const letters = 'g$lshzxetdnKEm'
/** What `A` stands for. */
const allLetters = 'g$lshzxetd'

export type EventClass = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 'x' | 'e' | 't' | 'n' | 'm'

export const wrongClass = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."

/** The classes that a setting names; undefined where it has a letter that is none. */
export function readClasses(text: string): ReadonlySet<string> | undefined {
  const classes = new Set<string>()
  for (const letter of text) {
    if (letter === 'A') for (const each of allLetters) classes.add(each)
    else if (letters.includes(letter)) classes.add(letter)
    else return undefined
  }
  return classes
}

export function writeClasses(classes: ReadonlySet<string>): string {
  const hasAll = [...allLetters].every((letter) => classes.has(letter))
  const shown = [...letters].filter((letter) => classes.has(letter) && !(hasAll && allLetters.includes(letter)))
  return (hasAll ? 'A' : '') + shown.join('')
}

/**
 * The families of several servers of one process as one page.
 *
 * What must hold: a sample is added to those with its labels, unless its family says that it is not to be; so all servers
 * tell the same families, each once.
 */

import type { Family, Sample } from './families.ts'

export function mergeFamilies(pages: readonly (readonly Family[])[]): Family[] {
  const merged = new Map<string, { readonly family: Family; readonly samples: Map<string, Sample> }>()
  for (const family of pages.flat()) {
    const { name, samples } = family
    const known = merged.get(name) ?? { family, samples: new Map<string, Sample>() }
    merged.set(name, known)
    for (const sample of samples) {
      const key = JSON.stringify([sample.suffix, sample.labels])
      const before = known.samples.get(key)
      known.samples.set(key, before === undefined ? sample : { ...sample, value: together(family, before, sample) })
    }
  }
  return [...merged.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }))
}

function together({ isOfAll = false }: Family, before: Sample, sample: Sample): number {
  return isOfAll ? Math.max(before.value, sample.value) : before.value + sample.value
}

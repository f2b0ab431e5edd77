/** One part of the bench of the store in a process of its own: `part-child.ts PART`. */

import { serveSteps } from '../harness/steps.ts'
import type { PartFindings, PartOptions } from './part.ts'
import { parts } from './parts.ts'

const [name = ''] = process.argv.slice(2)

serveSteps({
  run(options: PartOptions): Promise<PartFindings> {
    const part = parts[name as keyof typeof parts]
    if (part === undefined) throw new Error(`there is no part ${name}`)
    return part.run(options)
  },
})

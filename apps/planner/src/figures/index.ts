/** All figures, in the groups in which they are shown, and the graph that they make with the inputs. */

import { unitsOfInputs } from '../inputs/table.ts'
import { type FigureSpec, type Graph, makeGraph } from '../model/graph.ts'
import { costFigures } from './cost.ts'
import { growthFigures, memoryFigures, storageFigures } from './holding.ts'
import { diskFigures, networkFigures, operationFigures, processorFigures } from './load.ts'
import { nodeFigures } from './nodes.ts'
import { backupFigures, recoveryFigures, serviceFigures } from './safety.ts'

export interface FigureGroup {
  readonly title: string
  readonly figures: readonly FigureSpec[]
}

export const figureGroups: readonly FigureGroup[] = [
  { title: 'Nodes', figures: nodeFigures },
  { title: 'Operations and connections', figures: operationFigures },
  { title: 'Storage', figures: storageFigures },
  { title: 'Growth', figures: growthFigures },
  { title: 'Memory', figures: memoryFigures },
  { title: 'CPU', figures: processorFigures },
  { title: 'Disk operations and bandwidth', figures: diskFigures },
  { title: 'Network', figures: networkFigures },
  { title: 'Recovery', figures: recoveryFigures },
  { title: 'Consistency and upgrades', figures: serviceFigures },
  { title: 'Backup', figures: backupFigures },
  { title: 'Cost', figures: costFigures },
]

export const graph: Graph = makeGraph(
  figureGroups.flatMap(({ figures }) => figures),
  unitsOfInputs,
)

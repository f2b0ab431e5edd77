// @ts-check
/**
 * Runs a program of the workspace on the pinned Node, from source: `node tools/run.mjs FILE [args]`.
 *
 * For `npm run bench` and `npm run orbit`. Sets up what is missing first; the working folder stays that of the caller.
 */

import { resolve } from 'node:path'
import { setup } from './setup.mjs'
import { pinnedNode, root, run, runTool, sourceFlags, ToolError, toolEnvironment } from './toolchain.mjs'

await runTool(async () => {
  const [file, ...args] = process.argv.slice(2)
  if (file === undefined) throw new ToolError('name the file to run: node tools/run.mjs FILE [args]')
  await setup({ dist: false })
  const node = pinnedNode()
  const cwd = process.env.INIT_CWD ?? process.cwd()
  return run(node, [...sourceFlags, resolve(root, file), ...args], { cwd, env: toolEnvironment(node) })
})

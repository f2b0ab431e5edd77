// @ts-check
/**
 * `npm test`: sets up what is missing, then types, lint, tidy rules and all tests, on both disks. Runs on Node 18.
 *
 *   npm test                        everything
 *   npm test -- storage/engine-log  only the tests whose path contains that
 *   npm run check  (--check)        types, lint, and every test but the slow ones in tests/
 *   npm run test:unit  (--unit)     those tests alone
 *
 * Every step runs even if one before it failed, so that one run shows all there is to mend; the exit code is 0 only
 * if all passed. The output ends with the totals of all test runs together, in the words of node:test.
 */

import { build } from './build.mjs'
import { setup } from './setup.mjs'
import { addTotals, findTests, formatTotals, isSlow, noTotals, onDisk, runTests } from './suite.mjs'
import { pinnedNode, root, run, runTool, ToolError, toolEnvironment } from './toolchain.mjs'

await runTool(async () => {
  const flags = new Set(process.argv.slice(2).filter((arg) => arg.startsWith('--')))
  const [filter] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
  const isFast = flags.has('--check') || flags.has('--unit')
  for (const flag of flags) if (!['--check', '--unit'].includes(flag)) throw new ToolError(`unknown flag ${flag}`)

  await setup({ forTests: !isFast, dist: false })
  const files = findTests({ slow: !isFast, ...(filter === undefined ? {} : { filter }) })
  if (files.length === 0) throw new ToolError(`no test file has "${filter}" in its path`)

  const failures = []
  // Only the slow tests use the built packages; all others run from source.
  if (files.some(isSlow)) failures.push(...(await buildStep()))
  if (filter === undefined && !flags.has('--unit')) failures.push(...(await staticChecks()))

  let totals = noTotals()
  const passes = [{ name: 'tests', files, variables: {} }]
  if (!isFast) {
    passes.unshift({
      name: 'tests on the plain JavaScript disk',
      files: onDisk(files),
      variables: { ORBIT_NATIVE: '0' },
    })
  }
  for (const pass of passes.filter((one) => one.files.length > 0)) {
    console.log(`test: ${pass.name}, ${pass.files.length} files`)
    const result = await runTests(pass.files, { variables: pass.variables })
    totals = addTotals(totals, result.totals)
    if (result.exitCode !== 0 || result.totals.failed > 0) failures.push(pass.name)
  }

  console.log(failures.length === 0 ? 'test: all passed' : `test: failed: ${failures.join(', ')}`)
  console.log(formatTotals(totals))
  return failures.length === 0 ? 0 : 1
})

/** Builds dist/; a failure is one more thing to report, not the end. */
async function buildStep() {
  try {
    await build()
    return []
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    console.error(`error: ${error.message}`)
    return ['build']
  }
}

/** Types and lint; returns the names of those that failed. */
async function staticChecks() {
  const node = pinnedNode()
  const env = toolEnvironment(node)
  const failed = []
  const steps = [
    { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', '.'] },
    {
      name: 'lint',
      args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--diagnostic-level=warn', '.'],
    },
  ]
  for (const { name, args } of steps) {
    console.log(`test: ${name}`)
    if ((await run(node, args, { cwd: root, env })) !== 0) failed.push(name)
  }
  return failed
}

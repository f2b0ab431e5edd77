// @ts-check
/**
 * `npm start`: sets up what is missing, then runs `orbit serve`, whose defaults are ./data and port 7379. Runs on
 * Node 18.
 *
 * Arguments after `--` go to `orbit serve`, and its exit code becomes ours. Signals are told to the server by message,
 * each kind once, as its launcher does (apps/node/bin/orbit.js): a Ctrl-C on a terminal reaches npm, us and the server,
 * npm passes it to us once more, and the server takes a second one for "stop at once". When we die, however we die,
 * the channel closes and the server stops.
 *
 * npm starts us through a shell. A signal sent to npm alone ends that shell and does not reach us, so a change of
 * parent counts as SIGTERM; otherwise a server would stay behind that nobody sees.
 */

import { setup } from './setup.mjs'
import { pinnedNode, run, runTool, sourceFlags, toolEnvironment } from './toolchain.mjs'

const parentCheckMs = 250

await runTool(async () => {
  const parent = process.ppid
  await setup()
  const node = pinnedNode()
  return run(node, [...sourceFlags, 'apps/node/bin/orbit.js', 'serve', ...process.argv.slice(2)], {
    env: toolEnvironment(node),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    started: (server) => {
      const passed = new Set()
      /** @param {'SIGINT' | 'SIGTERM'} signal */
      const pass = (signal) => {
        if (passed.has(signal) || !server.connected) return
        passed.add(signal)
        // A server that ends at this moment closes the channel first: then there is nobody left to tell.
        server.send({ signal }, () => undefined)
      }
      process.on('SIGINT', pass).on('SIGTERM', pass)
      setInterval(() => process.ppid !== parent && pass('SIGTERM'), parentCheckMs).unref()
    },
  })
})

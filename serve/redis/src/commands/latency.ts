/** LATENCY: what held the server up (latency-monitor.ts), and how long each command takes. */

import type { LatencyEvent, LatencySample } from '../latency-monitor.ts'
import { type Call, type Command, CommandError, type CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'

const latency = {
  group: 'server',
  categories: [],
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  since: '2.8.13',
} as const
const perNode = ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special']

/** `find` finds a command by its full name, in small letters; a container stands for its subcommands. */
export function latencyCommands(find: (name: string) => Command | undefined): readonly CommandSpec[] {
  const subcommands: readonly CommandSpec[] = [
    {
      ...latency,
      name: 'doctor',
      arity: 2,
      tips: perNode,
      summary: 'What was noted, in words.',
      syntax: '',
      run: doctor,
    },
    {
      ...latency,
      name: 'graph',
      arity: 3,
      tips: perNode,
      summary: 'The samples of an event as a drawing.',
      syntax: 'event',
      run: graph,
    },
    {
      ...latency,
      name: 'histogram',
      arity: -2,
      tips: perNode,
      since: '7.0.0',
      complexity: 'O(N) for N commands',
      summary: 'How many calls of each command took at most so many microseconds.',
      syntax: '[command [command ...]]',
      difference: 'Of quick commands one call in 64 is timed and stands for the others.',
      run: (call) => histogram(call, find),
    },
    {
      ...latency,
      name: 'history',
      arity: 3,
      tips: perNode,
      summary: 'The samples of an event: times, and milliseconds.',
      syntax: 'event',
      run: (call) => {
        const samples = eventAt(call)?.samples ?? []
        call.reply.array(samples.length)
        for (const { timeSeconds, latencyMs } of samples) {
          call.reply.array(2)
          call.reply.integer(timeSeconds)
          call.reply.integer(latencyMs)
        }
      },
    },
    {
      ...latency,
      name: 'latest',
      arity: 2,
      tips: perNode,
      summary: 'The newest sample of every event, and the worst of all.',
      syntax: '',
      run: ({ reply, server }) => {
        const { events } = server.timings.monitor
        reply.array(events.size)
        for (const [name, { samples, maxMs }] of events) {
          const last = samples.at(-1) as LatencySample
          reply.array(4)
          reply.bulkText(name)
          reply.integer(last.timeSeconds)
          reply.integer(last.latencyMs)
          reply.integer(maxMs)
        }
      },
    },
    {
      ...latency,
      name: 'reset',
      arity: -2,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      summary: 'Forgets some events, or all.',
      syntax: '[event [event ...]]',
      run: ({ arguments: found, reply, server }) => {
        const names = Array.from({ length: found.count - 2 }, (_, i) => found.text(i + 2))
        reply.integer(server.timings.monitor.reset(names))
      },
    },
  ]
  return [
    {
      name: 'latency',
      arity: -2,
      flags: [],
      group: 'server',
      categories: [],
      since: '2.8.13',
      complexity: 'O(1)',
      summary: 'Commands on what held the server up.',
      syntax: 'subcommand [argument ...]',
      difference:
        'Events are `command`, `fast-command` and `event-loop`: whatever held the loop up. Nothing is noted until latency-monitor-threshold is set.',
      subcommands: [...subcommands, helpCommand('latency', 'server', subcommands)],
    },
  ]
}

function eventAt({ arguments: found, server }: Call): LatencyEvent | undefined {
  return server.timings.monitor.events.get(found.text(2))
}

/** Bounds that are told: powers of two. */
const bounds = Array.from({ length: 31 }, (_, exponent) => 2 ** exponent)

function histogram({ arguments: found, reply, server }: Call, find: (name: string) => Command | undefined): void {
  const asked: Command[] = []
  for (let place = 2; place < found.count; place++) {
    const command = find(found.text(place).toLowerCase())
    if (command?.byName === undefined) asked.push(...(command === undefined ? [] : [command]))
    else asked.push(...command.byName.values())
  }
  const timed = (found.count === 2 ? [...server.commands()] : asked).filter(({ durations }) => durations !== undefined)
  reply.map(timed.length)
  for (const { fullName, calls, durations } of timed) {
    const below = durations?.below(bounds) ?? []
    const shown = below.flatMap((count, i) =>
      count > (below[i - 1] ?? 0) ? [[bounds[i] as number, count] as const] : [],
    )
    reply.bulkText(fullName)
    reply.map(2)
    reply.bulkText('calls')
    reply.integer(calls)
    reply.bulkText('histogram_usec')
    reply.map(shown.length)
    for (const [bound, count] of shown) {
      reply.integer(bound)
      reply.integer(count)
    }
  }
}

function doctor({ reply, server }: Call): void {
  const { events, thresholdMs } = server.timings.monitor
  if (thresholdMs === 0) {
    reply.verbatim(
      'I\'m sorry, Dave, I can\'t do that. Latency monitoring is disabled in this OrbitKV instance. You may use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n',
    )
    return
  }
  if (events.size === 0) {
    reply.verbatim(`Dave, no latency spike was observed from ${thresholdMs} milliseconds on. All is well.\n`)
    return
  }
  const lines = [...events].map(([name, { samples, maxMs }], i) => {
    const mean = samples.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / samples.length
    return `${i + 1}. ${name}: ${samples.length} latency spikes (average ${mean.toFixed(0)}ms). Worst all time event ${maxMs}ms.`
  })
  const advice =
    '- Commands that take long are in SLOWLOG GET. What holds up the event loop without one is work of the store or the machine: see INFO stats, and orbit stats.'
  reply.verbatim(`Dave, I have observed latency spikes in this OrbitKV instance.\n\n${lines.join('\n')}\n\n${advice}\n`)
}

const graphLines = ['_', 'o', '#', '|']
const graphRows = 4

/** One column for each sample, the highest as high as the drawing. */
function graph(call: Call): void {
  const event = eventAt(call)
  const name = call.arguments.text(2)
  if (event === undefined) throw new CommandError(`ERR No samples available for event '${name}'`)
  const all = event.samples.map(({ latencyMs }) => latencyMs)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const range = Math.max(1, high - low)
  const rows: string[] = []
  for (let row = graphRows - 1; row >= 0; row--) {
    const cells = all.map((latencyMs) => {
      const height = ((latencyMs - low) / range) * (graphRows - 1)
      if (Math.floor(height) === row) return graphLines[Math.round((height % 1) * (graphLines.length - 1))]
      return height > row ? '|' : ' '
    })
    rows.push(cells.join('').trimEnd())
  }
  call.reply.verbatim(
    `${name} - high ${high} ms, low ${low} ms (all time high ${event.maxMs} ms)\n${'-'.repeat(80)}\n${rows.join('\n')}\n`,
  )
}

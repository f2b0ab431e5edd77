/** The tools of a Redis installation against our server: redis-cli, its pipe mode, redis-benchmark. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { encode } from './resp.ts'
import { missing, type OurServer, startOurs } from './servers.ts'

let ours: OurServer & { readonly errors: unknown[] }

before(async () => {
  ours = await startOurs({ durability: 'always', onDisk: true })
})

after(async () => {
  assert.deepEqual(ours.errors, [])
  await ours.close()
})

/** Runs a tool to its end; fails unless it ends well. */
function run(tool: string, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString()
    })
    child.stderr.on('data', (bytes: Buffer) => {
      output += bytes.toString()
    })
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${tool} ended with ${code}: ${output}`)),
    )
    child.stdin.end(input)
  })
}

describe('redis-cli', { skip: missing('redis-cli') }, () => {
  const cli = (args: readonly string[], input?: string | Buffer): Promise<string> =>
    run('redis-cli', ['-p', String(ours.port), ...args], input)

  test('one command for each call', async () => {
    assert.equal(await cli(['set', 'a', '1']), 'OK\n')
    assert.equal(await cli(['get', 'a']), '1\n')
    assert.equal(await cli(['-3', 'get', 'nokey']), '\n')
    assert.match(await cli(['info', 'replication']), /role:master/)
  })

  test('commands from its input, errors included', async () => {
    const output = await cli([], 'set b "two words"\nget b\nincr b\nnosuch\nmget a b nokey\n')
    assert.deepEqual(
      output.split('\n').filter((line) => line !== ''),
      [
        'OK',
        'two words',
        'ERR value is not an integer or out of range',
        "ERR unknown command 'nosuch', with args beginning with: ",
        '1',
        'two words',
      ],
    )
  })

  test('its scan, and its search for big keys', async () => {
    assert.deepEqual((await cli(['--scan', '--pattern', '?'])).trim().split('\n'), ['a', 'b'])
    assert.match(await cli(['--bigkeys']), /Sampled 2 keys in the keyspace/)
  })

  test('pipe mode: 50,000 commands in one stream, the last answered before it ends', async () => {
    const commands = Array.from({ length: 50_000 }, (_, i) => encode(['SET', `pipe:${i}`, `value ${i}`]))
    const output = await cli(['--pipe'], Buffer.concat(commands))
    assert.match(output, /errors: 0, replies: 50000/)
    assert.equal(await cli(['get', 'pipe:49999']), 'value 49999\n')
    assert.equal(Buffer.from(ours.store.get('pipe:123') ?? []).toString(), 'value 123')
  })
})

describe('redis-benchmark', { skip: missing('redis-benchmark') }, () => {
  for (const pipeline of [1, 16]) {
    test(`SET and GET by 20 clients, ${pipeline} at a time`, async () => {
      const args = [
        '-p',
        String(ours.port),
        '-c',
        '20',
        '-n',
        '5000',
        '-P',
        String(pipeline),
        '-d',
        '100',
        '-r',
        '1000',
      ]
      const output = await run('redis-benchmark', [...args, '-t', 'set,get,incr,mset', '--csv'])
      const lines = output.split('\n').filter((line) => /^"(SET|GET|INCR|MSET)/.test(line))
      assert.equal(lines.length, 4, output)
    })
  }
})

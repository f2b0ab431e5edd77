/** What scripts may and may not do, and what becomes of what they write. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../commands/index.ts'
import { startTestServer, type TestClient, type TestOptions, type TestServer } from '../server-suite.ts'

async function withServer(
  run: (client: TestClient, server: TestServer) => Promise<void>,
  options: TestOptions = {},
): Promise<void> {
  const server = await startTestServer({ durability: 'none', ...options })
  try {
    await run(await server.connect(), server)
  } finally {
    await server.close()
  }
}

const evaluated = (client: TestClient, script: string, ...keys: string[]) =>
  client.call('EVAL', script, keys.length, ...keys)

test('values of Lua become replies as in Redis', async () => {
  const cases: [script: string, resp2: string, resp3?: string][] = [
    ['return 3.99', ':3\r\n'],
    ['return -1', ':-1\r\n'],
    ['return "text"', '$4\r\ntext\r\n'],
    ['return true', ':1\r\n'],
    ['return false', '$-1\r\n', '_\r\n'],
    ['return nil', '$-1\r\n', '_\r\n'],
    ['return', '$-1\r\n', '_\r\n'],
    ['return {1, {2, "x"}, nil, 4}', '*2\r\n:1\r\n*2\r\n:2\r\n$1\r\nx\r\n'],
    ['return {ok = "fine"}', '+fine\r\n'],
    ['return {err = "MY problem"}', '-MY problem\r\n'],
    ['return redis.error_reply("problem")', '-ERR problem\r\n'],
    ['return redis.status_reply("two\\r\\nlines")', '+two  lines\r\n'],
    ['return {double = 1.5}', '$3\r\n1.5\r\n', ',1.5\r\n'],
    ['return {map = {a = 1}}', '*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n:1\r\n'],
    ['return {set = {a = true}}', '*1\r\n$1\r\na\r\n', '~1\r\n$1\r\na\r\n'],
    ['return {big_number = "123"}', '$3\r\n123\r\n', '(123\r\n'],
    ['redis.setresp(3) return true', ':1\r\n', '#t\r\n'],
    ['redis.setresp(3) return false', ':0\r\n', '#f\r\n'],
    ['return function() end', '$-1\r\n', '_\r\n'],
    ['local t = {} t[1] = t return t', '*1\r\n-ERR reached lua stack limit\r\n'],
  ]
  await withServer(async (client) => {
    for (const [script, expected] of cases) assert.equal(await evaluated(client, script), expected, script)
    await client.call('HELLO', 3)
    for (const [script, resp2, resp3 = resp2] of cases) assert.equal(await evaluated(client, script), resp3, script)
  })
})

test('replies of commands become values of Lua as in Redis', async () => {
  await withServer(async (client) => {
    await client.call('HSET', 'h', 'f', 'v')
    await client.call('ZADD', 'z', '1.5', 'm')
    const cases: [script: string, expected: string][] = [
      ['return type(redis.call("GET", "none"))', '$7\r\nboolean\r\n'],
      ['return redis.call("SET", "k", "v").ok', '$2\r\nOK\r\n'],
      ['return redis.pcall("HGET", "k", "f").err', /^\$\d+\r\nWRONGTYPE .*\r\n$/.source],
      ['return redis.call("HGETALL", "h")[2]', '$1\r\nv\r\n'],
      ['redis.setresp(3) return redis.call("HGETALL", "h").map.f', '$1\r\nv\r\n'],
      ['redis.setresp(3) return tostring(redis.call("ZSCORE", "z", "m").double)', '$3\r\n1.5\r\n'],
      ['redis.setresp(3) return type(redis.call("GET", "none"))', '$3\r\nnil\r\n'],
    ]
    for (const [script, expected] of cases) {
      const answer = await evaluated(client, script)
      if (expected.startsWith('^')) assert.match(answer, new RegExp(expected), script)
      else assert.equal(answer, expected, script)
    }
  })
})

test('numbers reach commands with all their digits, and are texts as in Lua 5.1', async () => {
  await withServer(async (client) => {
    await evaluated(client, 'redis.call("SET", "n", 1700000000000123) redis.call("SET", "third", 1/3)')
    assert.equal(await client.call('GET', 'n'), '$16\r\n1700000000000123\r\n')
    assert.equal(await client.call('GET', 'third'), '$19\r\n0.33333333333333331\r\n')
    assert.equal(await evaluated(client, 'return 10/2 .. " " .. 2^31 .. " " .. 1e15'), '$18\r\n5 2147483648 1e+15\r\n')
  })
})

test('the libraries of Redis are there', async () => {
  await withServer(async (client) => {
    const cases: [script: string, expected: string][] = [
      ['return cjson.encode(cjson.decode(\'{"a":[1,2.5,null,"x"]}\'))', '$22\r\n{"a":[1,2.5,null,"x"]}\r\n'],
      ['return cmsgpack.unpack(cmsgpack.pack({1, "two", {a = 3}}))[3].a', ':3\r\n'],
      ['return {struct.unpack(">I2", struct.pack(">I2", 258))}', '*2\r\n:258\r\n:3\r\n'],
      ['return bit.band(0xff, 0x0f)', ':15\r\n'],
      ['return redis.sha1hex("")', '$40\r\nda39a3ee5e6b4b0d3255bfef95601890afd80709\r\n'],
      ['return {unpack({1, 2, 3})}', '*3\r\n:1\r\n:2\r\n:3\r\n'],
      ['return table.getn({1, 2})', ':2\r\n'],
      ['return redis.replicate_commands()', ':1\r\n'],
    ]
    for (const [script, expected] of cases) assert.equal(await evaluated(client, script), expected, script)
  })
})

test('a script is one batch', async () => {
  await withServer(async (client, { store }) => {
    // The first collection of all reserves generations in a batch of its own.
    await client.call('LPUSH', 'l', 0)
    const before = store.stats().revision
    await evaluated(client, 'for i = 1, 10 do redis.call("SET", "k" .. i, i) end redis.call("LPUSH", "l", 1, 2)')
    assert.equal(store.stats().revision, before + 1)
    assert.equal(await client.call('DBSIZE'), ':11\r\n')
  })
})

test('a script that fails keeps what it wrote before, and says where it failed', async () => {
  await withServer(async (client) => {
    const answer = await evaluated(
      client,
      'redis.call("SET", "a", 1)\nredis.call("LPUSH", "a", 2)\nredis.call("SET", "b", 1)',
    )
    assert.match(answer, /^-WRONGTYPE .* script: [0-9a-f]{40}, on @user_script:2\.\r\n$/)
    assert.equal(await client.call('MGET', 'a', 'b'), '*2\r\n$1\r\n1\r\n$-1\r\n')
  })
})

test('a script sees what it wrote, in EXEC too, and what EXEC gives up is gone', async () => {
  await withServer(async (client) => {
    assert.equal(
      await evaluated(client, 'redis.call("INCR", KEYS[1]) return redis.call("INCR", KEYS[1])', 'n'),
      ':2\r\n',
    )
    await client.call('MULTI')
    await client.call('INCR', 'n')
    await client.call('EVAL', 'return redis.call("INCR", "n")', 0)
    assert.equal(await client.call('EXEC'), '*2\r\n:3\r\n:4\r\n')
    assert.equal(await client.call('GET', 'n'), '$1\r\n4\r\n')
  })
})

test('SELECT in a script is over with it', async () => {
  await withServer(async (client) => {
    await evaluated(client, 'redis.call("SELECT", 3) redis.call("SET", "k", "in 3")')
    assert.equal(await client.call('GET', 'k'), '$-1\r\n')
    await client.call('SELECT', 3)
    assert.equal(await client.call('GET', 'k'), '$4\r\nin 3\r\n')
  })
})

test('a script that runs too long is ended, whatever it does to go on, and has written nothing', async () => {
  const endless = [
    'while true do end',
    'while true do pcall(function() while true do end end) end',
    'local f f = function() pcall(f) return f() end return f()',
    'local function again() while true do pcall(error, "x") end end while true do coroutine.wrap(again)() end',
    'while true do redis.pcall("GET", "k") end',
    'while true do xpcall(function() while true do end end, function() while true do end end) end',
  ]
  await withServer(
    async (client) => {
      for (const script of endless) {
        const answer = await evaluated(client, `redis.call("SET", "written", 1) ${script}`)
        assert.match(answer, /^-ERR Script stopped: .*\r\n$/, script)
        assert.equal(await client.call('EXISTS', 'written'), ':0\r\n', script)
        assert.equal(await evaluated(client, 'return 1'), ':1\r\n', script)
      }
    },
    { limits: { scriptInstructionsMax: 100_000 } },
  )
})

test('a script has bounded memory', async () => {
  const large = [
    'local s = "x" while true do s = s .. s end',
    'local t = {} for i = 1, 1e9 do t[i] = i end',
    'return string.rep("x", 2^31)',
    'local function deep() return 1 + deep() end return deep()',
    'return {string.rep("x", 2e7), string.rep("y", 2e7)}',
  ]
  await withServer(async (client) => {
    for (const script of large) {
      assert.match(await evaluated(client, script), /^-ERR .*(memory|stack overflow|length).*\r\n$/, script)
      assert.equal(await evaluated(client, 'return 1'), ':1\r\n', script)
    }
  })
})

test('there is no way out of the box', async () => {
  const missing = [
    'os',
    'io',
    'debug',
    'require',
    'package',
    'module',
    'dofile',
    'loadfile',
    'print',
    'getfenv',
    'setfenv',
  ]
  const refused = [
    'redis.call = nil',
    'rawset(redis, "call", nil)',
    'x = 1',
    '_G.x = 1',
    'rawset(_G, "x", 1)',
    'setmetatable(_G, {})',
    'getmetatable(_G).__index = nil',
    'getmetatable("").__index = nil',
    'string.rep = nil',
    'cjson.encode = nil',
    'table.insert(cjson, 1)',
    'loadstring(string.dump(function() return 1 end))()',
    'redis["\\0"] = nil',
  ]
  await withServer(async (client) => {
    for (const name of [...missing, 'constructor', 'process', 'globalThis']) {
      assert.match(await evaluated(client, `return ${name}`), /nonexistent global variable/, name)
      assert.equal(await evaluated(client, `return rawget(_G, "${name}") == nil and 1 or 0`), ':1\r\n', name)
    }
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.equal(await evaluated(client, `return redis["${name}"] == nil and 1 or 0`), ':1\r\n', name)
    }
    for (const script of refused) assert.match(await evaluated(client, script), /^-ERR /, script)
    assert.equal(await evaluated(client, 'return redis.call("PING")'), '+PONG\r\n')
  })
})

test('nothing of one script is left for the next', async () => {
  await withServer(async (client) => {
    const script = 'return KEYS[1] or "none"'
    assert.equal(await evaluated(client, script), '$4\r\nnone\r\n')
    // The function that runs scripts, called with another text: it is kept under that text, and under no other.
    await client.call('EVAL', 'redis["\\0"]() return 1', 0, 'return "taken over"', 'run')
    assert.equal(await evaluated(client, script), '$4\r\nnone\r\n')
    assert.equal(await evaluated(client, script, 'k'), '$1\r\nk\r\n')
  })
})

test('what the table keeps from scripts, no script can run', async () => {
  const kept = [...allCommands().values()].filter(
    ({ flags, byName }) => flags.includes('noscript') && byName === undefined,
  )
  await withServer(async (client) => {
    assert.ok(kept.length > 10)
    for (const { name, arity } of kept) {
      const padding = Array.from({ length: Math.abs(arity) - 1 }, () => '"1"')
      const answer = await evaluated(client, `return redis.call(${[`"${name}"`, ...padding].join(', ')})`)
      assert.match(answer, /^-ERR This Redis command is not allowed from script/, name)
    }
  })
})

test('scripts that may only read are refused what writes', async () => {
  const write = 'return redis.call("SET", "k", 1)'
  await withServer(async (client) => {
    assert.match(
      await client.call('EVAL_RO', write, 0),
      /^-ERR Write commands are not allowed from read-only scripts\./,
    )
    assert.match(await evaluated(client, `#!lua flags=no-writes\n${write}`), /^-ERR Write commands are not allowed/)
    assert.match(await client.call('EVAL_RO', '#!lua\nreturn 1', 0), /^-ERR Can not execute a script with write flag/)
    assert.equal(await client.call('EVAL_RO', '#!lua flags=no-writes\nreturn 1', 0), ':1\r\n')
    assert.equal(await evaluated(client, '#!js\nreturn 1'), '-ERR Unexpected engine in script shebang: #!js\r\n')
    assert.equal(
      await evaluated(client, '#!lua flags=none\nreturn 1'),
      '-ERR Unexpected flag in script shebang: none\r\n',
    )
    assert.equal(await client.call('EXISTS', 'k'), ':0\r\n')
  })
})

test('scripts are kept up to a limit, until they are flushed', async () => {
  await withServer(
    async (client) => {
      const script = `return "${'x'.repeat(900)}"`
      const digest = (await client.call('SCRIPT', 'LOAD', script)).split('\r\n')[1] as string
      assert.equal(await client.call('EVALSHA', digest.toUpperCase(), 0), `$900\r\n${'x'.repeat(900)}\r\n`)
      assert.match(await client.call('SCRIPT', 'LOAD', `${script} `), /^-OOM /)
      assert.match(await client.call('SCRIPT', 'LOAD', 'return return'), /^-ERR Error compiling script/)
      await client.call('SCRIPT', 'FLUSH')
      assert.equal(await client.call('SCRIPT', 'EXISTS', digest), '*1\r\n:0\r\n')
      assert.match(await client.call('SCRIPT', 'LOAD', `${script} `), /^\$40/)
    },
    { limits: { scriptsBytesMax: 1024 } },
  )
})

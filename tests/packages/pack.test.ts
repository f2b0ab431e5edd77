/**
 * What a user gets from the registry: every public package is packed, all are installed together into an empty
 * folder, and used from there on the pinned Node, from JavaScript, from TypeScript and from the command line.
 *
 * Packages from outside come from npm's cache where it has them, otherwise from the registry.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { npmCommand, pinnedNode, root, toolEnvironment, workspacePackages } from '../../tools/toolchain.mjs'

const commandTimeoutMs = 5 * 60_000
const execute = promisify(execFile)
const node = pinnedNode()
const npm = npmCommand()
const publicPackages = workspacePackages().filter((one) => !one.isPrivate)

interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

let folder = ''
let packed: readonly Packed[] = []

/** A command's standard output; what it wrote to both outputs stands in the error when it fails. */
async function output(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const options = { cwd, env, timeout: commandTimeoutMs, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await execute(command, args, options).catch((cause) => {
    throw new Error(`${command} ${args.join(' ')} failed\n${cause.stdout}\n${cause.stderr}`, { cause })
  })
  return stdout
}

/** npm as an outsider runs it: what this run of npm told its scripts must not reach it. */
function npmOutput(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = npm.env): Promise<string> {
  const told = /^(npm_(package|lifecycle|config_(local_)?prefix|command|config_workspace)|INIT_CWD|ORBIT_)/i
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !told.test(name)))
  return output(npm.command, [...npm.args, '--loglevel=error', ...args], cwd, clean)
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orbit-pack-'))
  const workspaces = publicPackages.flatMap((one) => ['--workspace', one.name])
  packed = JSON.parse(await npmOutput(['pack', '--json', '--pack-destination', folder, ...workspaces], root))
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  // npm 9 gives the name of a scoped package's file as "@scope/name-1.0.0.tgz"; the file has a hyphen.
  const tarballs = packed.map(({ filename }) => `./${filename.replace('@', '').replace('/', '-')}`)
  await npmOutput(['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], folder)
})

after(() => rm(folder, { recursive: true, force: true }))

test('every public package is packed with what was built, and neither sources nor tests', () => {
  assert.deepEqual(packed.map(({ name }) => name).sort(), publicPackages.map(({ name }) => name).sort())
  for (const { name, files } of packed) {
    const paths = files.map((file) => file.path)
    for (const wanted of ['package.json', 'README.md', 'dist/index.js', 'dist/index.d.ts']) {
      assert.ok(paths.includes(wanted), `${name} lacks ${wanted}`)
    }
    const unwanted = paths.filter((path) => path.startsWith('src/') || /\.test\.|tsconfig|\.tgz$/.test(path))
    assert.deepEqual(unwanted, [], name)
  }
})

test('an installed orbitkv puts and gets', async () => {
  const program = `
    import { open } from 'orbitkv'
    const store = await open('./data')
    await store.put('user:1', 'Ada')
    await store.close()
    const again = await open('./data')
    console.log(new TextDecoder().decode(again.get('user:1')))
    await again.close()
  `
  await writeFile(join(folder, 'program.js'), program)
  assert.equal(await output(node, ['program.js'], folder, process.env), 'Ada\n')
})

test('an installed @orbitkv/level puts and gets, in a store that orbitkv opens', async () => {
  const program = `
    import { OrbitLevel } from '@orbitkv/level'
    import { open } from 'orbitkv'
    const db = new OrbitLevel('./level')
    await db.put('user:1', 'Ada')
    console.log(await db.get('user:1'), await db.keys().all())
    await db.close()
    const store = await open('./level')
    console.log(store.has('user:1'))
    await store.close()
  `
  await writeFile(join(folder, 'level.js'), program)
  assert.equal(await output(node, ['level.js'], folder, process.env), "Ada [ 'user:1' ]\ntrue\n")
})

test('the declarations of an installed orbitkv compile in a strict program', async () => {
  const program = `
    import { OrbitLevel } from '@orbitkv/level'
    import { jsonOf, open, utf8 } from 'orbitkv'
    const store = await open('./data')
    const revision = await store.put('user:1', 'Ada', { ttl: 30_000 })
    const value: Uint8Array | undefined = store.get('user:1')
    console.log(revision, value?.byteLength)
    // @ts-expect-error a key is text or bytes
    await store.put({}, 'Ada')
    const users = store.keyspace('users', { key: utf8, value: jsonOf<{ age: number }>(), indexes: { byAge: { by: (user) => user.age } } })
    const oldest: number | undefined = users.index('byAge').get(36)?.value.age
    // @ts-expect-error it has no such index
    users.index('byName')
    const db = new OrbitLevel<string, object>('./level', { valueEncoding: 'json' })
    const found: object | undefined = await db.get('user:1')
    console.log(oldest, found)
    await store.close()
  `
  const settings = {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: ['program.ts'],
  }
  await writeFile(join(folder, 'program.ts'), program)
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  await output(node, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder, process.env)
})

test('npx orbit --version runs in a folder where orbit is installed', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'apps/node/package.json'), 'utf8'))
  const printed = await npmOutput(['exec', '--no', '--', 'orbit', '--version'], folder, toolEnvironment(node))
  assert.ok(printed.includes(manifest.version), printed)
})

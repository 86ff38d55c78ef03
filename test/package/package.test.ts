/**
 * The tarball, installed outside the repository by people who never saw it.
 * @slow
 * @seconds 60
 */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOOKS } from '../../lambda/core/hooks.ts'
import { bundleHooks } from '../../lib/pipeline/hook-bundles.ts'
import { SynthesizedTemplate } from '../support/synthesized.ts'
import { checksOf } from './release-check.ts'
import { tryStart } from './start-trial.ts'
import { type Failed, failing, type Packed, pack, packagesIn, ROOT, run } from './tarball.ts'

const EXAMPLE = join(ROOT, 'examples', 'cdk-app')
const CDK = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk')
const STRICT = [
  'strict',
  'exactOptionalPropertyTypes',
  'noPropertyAccessFromIndexSignature',
  'noUncheckedIndexedAccess',
  'noImplicitOverride',
]

let directory: string
let packed: Packed
beforeAll(async () => {
  // A path as a home directory may have it.
  directory = mkdtempSync(join(tmpdir(), 'größe und maß '))
  packed = await pack(directory)
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const folderOf = (name: string): string => {
  const folder = join(directory, name)
  mkdirSync(folder)
  return folder
}

/** The example's code in an app of another template, with the region of the committed template. */
function putExample(folder: string): void {
  for (const name of ['bin', 'lib', 'test']) rmSync(join(folder, name), { recursive: true, force: true })
  cpSync(join(EXAMPLE, 'bin'), join(folder, 'bin'), { recursive: true })
  mkdirSync(join(folder, 'etc'))
  const conf = readFileSync(join(ROOT, 'etc', 'emqx_backend_dynamo.conf'), 'utf8')
  writeFileSync(join(folder, 'etc', 'emqx_backend_dynamo.conf'), conf.replaceAll('us-west-2', 'eu-west-1'))
}

/** A test as the template of cdk init suggests it. */
const TEST_OF_APP = `import { Template } from 'aws-cdk-lib/assertions'
import { App } from 'aws-cdk-lib/core'
import { MqttBackendStack } from 'mqtt-dynamodb'
import { hookTableOf, readConf } from 'mqtt-dynamodb/conf'

test('six tables, and what is wrong is refused', () => {
  const hookTable = hookTableOf(readConf('etc/emqx_backend_dynamo.conf'))
  const stack = new MqttBackendStack(new App(), 'Mine', { backend: { hookTable } })
  Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::Table', 6)
  expect(() => readConf('none.conf')).toThrow('conf is "none.conf"')
})
`

async function runsTest(folder: string): Promise<void> {
  mkdirSync(join(folder, 'test'), { recursive: true })
  writeFileSync(join(folder, 'test', 'backend.test.ts'), TEST_OF_APP)
  await run(folder, 'npx', '--no-install', 'jest')
}

/** What the compiler says of our types and of the app's code, with the strictest flags; not what it says of other packages. */
async function faultsOfTypes(folder: string): Promise<string[]> {
  const flags = [...STRICT.flatMap((flag) => [`--${flag}`, 'true']), '--skipLibCheck', 'false', '--noEmit', 'true', '--pretty', 'false']
  const said = await run(folder, 'npx', '--no-install', 'tsc', ...flags).catch((error: Error) => error.message)
  return said.split('\n').filter((line) => /error TS/.test(line) && !/^node_modules\/(?!mqtt-dynamodb\/)/.test(line))
}

async function synthesizedIn(folder: string): Promise<unknown> {
  const flags = ['--quiet', '--no-asset-metadata', '--no-path-metadata', '--no-version-reporting', '--no-notices']
  await run(folder, process.execPath, CDK, 'synth', ...flags)
  return JSON.parse(readFileSync(join(folder, 'cdk.out', 'MqttBackend.template.json'), 'utf8').replaceAll(/\b[0-9a-f]{64}\b/g, 'ASSET'))
}

const COMMITTED = JSON.parse(readFileSync(join(ROOT, 'test', 'lib', 'template.json'), 'utf8'))
const shown = (template: unknown) => {
  const { resources, outputs, parameters, rules } = new SynthesizedTemplate(template as Record<string, unknown>)
  return { Resources: resources, Outputs: outputs, Parameters: parameters, Rules: rules }
}

/** The code of the functions that an app has synthesized. */
const codeIn = (folder: string): string[] =>
  readdirSync(join(folder, 'cdk.out'))
    .filter((name) => name.startsWith('asset.'))
    .map((name) => join(folder, 'cdk.out', name, 'index.js'))
    .filter((file) => readFileSync(file, 'utf8').includes('batchItemFailures'))
    .map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'))
    .sort()
const OURS = [...bundleHooks(HOOKS).values()].map((code) => createHash('sha256').update(code).digest('hex')).sort()

test('it is at most 3 MB and 200 files, with no test and no source', () => {
  expect(packed.size).toBeLessThanOrEqual(3e6)
  expect(packed.files.length).toBeLessThanOrEqual(200)
  const paths = packed.files.map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/NOTICE', 'dist/etc/emqx_backend_dynamo.conf']),
  )
  expect(paths.filter((path) => /test|(?<!\.d)\.ts$/.test(path) && !path.startsWith('dist/examples/'))).toEqual([])
})

/** Of `npm run release:check`; the changelog and the list of files are for who releases. */
const EVER = [
  'one version everywhere',
  'licences of what is installed and bundled',
  'no registry, no machine, no credential in the tarball',
]
test.each(EVER)('%s', (name) => {
  expect(
    checksOf(packed)
      .find((check) => check.name === name)!
      .faults(),
  ).toEqual([])
})

test("today's template of cdk init: types, template and code are ours", async () => {
  const folder = folderOf('today')
  await run(folder, process.execPath, CDK, 'init', 'app', '--language', 'typescript', '--generate-only')
  putExample(folder)
  const { context, ...cdkJson } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'))
  const settings = (more: object) =>
    writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ ...cdkJson, app: 'npx tsx bin/app.ts', ...more }))
  await run(folder, 'npm', 'install', packed.file)
  expect(await faultsOfTypes(folder)).toEqual([])
  // Flags of CDK change how ARNs, policies and keys are written. With all of today's the app is whole; without any the template is ours.
  settings({ context })
  const { Resources } = (await synthesizedIn(folder)) as { Resources: object }
  expect(Object.keys(Resources).sort()).toEqual(Object.keys(COMMITTED.Resources).sort())
  settings({})
  expect(shown(await synthesizedIn(folder))).toEqual(COMMITTED)
  expect(codeIn(folder)).toEqual(OURS)
  await runsTest(folder)
}, 400_000)

test('the older template, CommonJS by ts-node, with the oldest CDK that we take: the same', async () => {
  const folder = folderOf('older')
  cpSync(join(import.meta.dirname, 'older-app'), folder, { recursive: true })
  putExample(folder)
  await run(folder, 'npm', 'install', packed.file)
  expect(await faultsOfTypes(folder)).toEqual([])
  // That CDK gives texts of the dashboard no background.
  const drawn = JSON.parse(JSON.stringify(COMMITTED).replaceAll(String.raw`,\"background\":\"transparent\"`, ''))
  expect(shown(await synthesizedIn(folder))).toEqual(drawn)
  expect(codeIn(folder)).toEqual(OURS)
  await runsTest(folder)
}, 400_000)

describe('for the construct alone', () => {
  let folder: string
  beforeAll(async () => {
    folder = folderOf('alone')
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    await run(folder, 'npm', 'install', packed.file)
  }, 120_000)

  test('at most 60 packages come', () => {
    expect(packagesIn(readFileSync(join(folder, 'package-lock.json'), 'utf8')).length).toBeLessThanOrEqual(60)
  })

  const program = () => [process.execPath, join(folder, 'node_modules', 'mqtt-dynamodb', 'bin', 'mqtt-dynamodb.js'), 'start']

  test('start runs the backend in an empty folder, and once more from what it kept', async () => {
    const home = folderOf('home')
    const [first, again] = [
      await tryStart(folderOf('empty 1'), program(), { HOME: home }),
      await tryStart(folderOf('empty 2'), program(), { HOME: home }),
    ]
    expect(readdirSync(join(home, '.cache', 'mqtt-dynamodb', 'assemblies'))).toHaveLength(1)
    expect(readdirSync(join(directory, 'empty 1'))).toEqual([])
    process.stdout.write(`start from the tarball: ready after ${first} ms, again after ${again} ms\n`)
  }, 240_000)

  test('start runs the backend where the home cannot be written', async () => {
    const home = join(directory, 'no folder')
    writeFileSync(home, '')
    await tryStart(folderOf('empty 3'), program(), { HOME: home })
    expect(readFileSync(home, 'utf8')).toBe('')
  }, 120_000)

  test('import and require give the same class', async () => {
    const program = `import { MqttBackend } from 'mqtt-dynamodb'
import { createRequire } from 'node:module'
console.log(createRequire(import.meta.url)('mqtt-dynamodb').MqttBackend === MqttBackend)`
    expect(await run(folder, process.execPath, '--input-type=module', '-e', program)).toBe('true\n')
  })

  test('the conf is read without loading CDK', async () => {
    const program = `const { readConf } = require('mqtt-dynamodb/conf')
const file = require.resolve('mqtt-dynamodb/etc/emqx_backend_dynamo.conf')
console.log(readConf(file).table.rows.length, Object.keys(require.cache).filter((file) => file.includes('aws-cdk-lib')).length)`
    expect(await run(folder, process.execPath, '-e', program)).toBe('10 0\n')
  })

  test('init writes an app, which synthesizes; its folder is refused a second time', async () => {
    const app = join(directory, 'app')
    const next = await run(folder, 'npx', '--no-install', 'mqtt-dynamodb', 'init', app)
    expect(next).toBe(`Written. Next:

  cd '${app}' && npm install
  npx mqtt-dynamodb start --conf etc/emqx_backend_dynamo.conf
  npx cdk synth
`)
    const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
    manifest.dependencies['mqtt-dynamodb'] = `file:${packed.file}`
    writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
    await run(app, 'npm', 'install')
    await run(app, 'npx', '--no-install', 'tsc')
    await run(app, 'npx', '--no-install', 'cdk', 'synth', '--quiet')
    const again = run(folder, 'npx', '--no-install', 'mqtt-dynamodb', 'init', app)
    await expect(again).rejects.toThrow('which has .gitignore, wanted an empty folder')
  }, 400_000)

  describe('what is wrong is one line, without a stack', () => {
    /** What the app of before says on stderr, by CDK and alone, and the command line; with their exit status. */
    const [synth, alone, start] = [
      ['cdk', 'synth', '--quiet'],
      ['tsx', 'bin/app.ts'],
      ['mqtt-dynamodb', 'start', '--mqtt-port', '0'],
    ].map((command) => () => failing(join(directory, 'app'), 'npx', '--no-install', ...command)) as [
      () => Promise<Failed>,
      () => Promise<Failed>,
      () => Promise<Failed>,
    ]

    /** CDK adds lines of its own, and no stack. */
    const expectOneLine = ({ status, said }: Failed, line: string) => {
      expect(status).not.toBe(0)
      expect(said).toContain(line)
      expect(said.filter((each) => /^\s+at /.test(each))).toEqual([])
    }

    test('a conf that is not there', async () => {
      const conf = join(directory, 'app', 'etc', 'emqx_backend_dynamo.conf')
      renameSync(conf, `${conf}.gone`)
      const [app, itself] = [await synth(), await alone()]
      renameSync(`${conf}.gone`, conf)
      const line = `conf is "etc/emqx_backend_dynamo.conf", wanted a file that can be read (ENOENT in ${realpathSync(join(directory, 'app'))})`
      expectOneLine(app, line)
      expect(itself).toEqual({ status: 2, said: [line] })
    }, 60_000)

    test.each([
      ['aws-cdk-lib', '2.269.9', '^2.270.0'],
      ['constructs', '10.4.9', '^10.5.0'],
    ])(
      'a peer that is too old: %s',
      async (peer, older, range) => {
        const manifest = join(directory, 'app', 'node_modules', peer, 'package.json')
        const { version, ...more } = JSON.parse(readFileSync(manifest, 'utf8'))
        writeFileSync(manifest, JSON.stringify({ ...more, version: older }))
        const [app, itself, commandLine] = [await synth(), await alone(), await start()]
        writeFileSync(manifest, JSON.stringify({ ...more, version }))
        const line = `${peer} is ${older}, wanted ${range} (npm install aws-cdk-lib@2 constructs@10)`
        expectOneLine(app, line)
        for (const one of [itself, commandLine]) expect(one).toEqual({ status: 2, said: [line] })
      },
      120_000,
    )

    test('a Node that is too old', async () => {
      const older = join(directory, 'older.cjs')
      writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })")
      const program = join(directory, 'app', 'node_modules', 'mqtt-dynamodb', 'bin', 'mqtt-dynamodb.js')
      expect(await failing(directory, process.execPath, '--require', older, program, 'start')).toEqual({
        status: 2,
        said: ['mqtt-dynamodb: Node is 18.20.8, wanted 20 or newer'],
      })
    })
  })
})

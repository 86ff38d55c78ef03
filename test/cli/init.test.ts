/** The folder that `mqtt-dynamodb init` writes. test/package installs and synthesizes it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { here } from '../support/run-program.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'init-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const FILES = [
  '.gitignore',
  'README.md',
  'bin',
  'bin/app.ts',
  'cdk.json',
  'etc',
  'etc/emqx_backend_dynamo.conf',
  'package.json',
  'tsconfig.json',
]

it('writes the app of examples/cdk-app with the default conf, and says three commands', async () => {
  const folder = join(directory, 'new', 'app')
  const { status, out, err } = await here('init', folder)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  expect(out).toBe(
    `Written. Next:\n\n  cd ${folder} && npm install\n  npx mqtt-dynamodb start --conf etc/emqx_backend_dynamo.conf\n  npx cdk synth\n`,
  )
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(FILES)
  expect(read(folder, 'bin', 'app.ts')).toBe(read(ROOT, 'examples', 'cdk-app', 'bin', 'app.ts'))
  expect(read(folder, 'etc', 'emqx_backend_dynamo.conf')).toBe(read(ROOT, 'etc', 'emqx_backend_dynamo.conf'))
})

it('takes a folder that holds a new repository only', async () => {
  mkdirSync(join(directory, '.git'))
  expect(await here('init', directory)).toMatchObject({ status: 0 })
})

it('refuses a folder that is not empty, and writes nothing', async () => {
  writeFileSync(join(directory, 'mine.txt'), '')
  const err = `init: DIR is "${directory}", which has mine.txt, wanted an empty folder (see --help)\n`
  expect(await here('init', directory)).toEqual({ status: 2, out: '', err })
  expect(readdirSync(directory)).toEqual(['mine.txt'])
})

it('refuses a folder that cannot be made', async () => {
  writeFileSync(join(directory, 'file'), '')
  const folder = join(directory, 'file', 'app')
  const err = `init: DIR is "${folder}", wanted a folder that can be written (ENOTDIR) (see --help)\n`
  expect(await here('init', folder)).toEqual({ status: 2, out: '', err })
})

// Only Linux has /proc, where Node's own way of making several levels never came back.
it('refuses a folder on a file system that makes none', async () => {
  if (process.platform !== 'linux') return
  const err = 'init: DIR is "/proc/none/app", wanted a folder that can be written (ENOENT) (see --help)\n'
  expect(await here('init', '/proc/none/app')).toEqual({ status: 2, out: '', err })
})

it('asks for the versions of this package: itself and its peers', () => {
  const ours = JSON.parse(read(ROOT, 'package.json'))
  const { dependencies, devDependencies } = JSON.parse(read(ROOT, 'examples', 'cdk-app', 'package.json'))
  expect(dependencies['mqtt-dynamodb']).toBe(`^${ours.version}`)
  expect(Object.keys(ours.peerDependencies).every((name) => name in dependencies)).toBe(true)
  expect(devDependencies['aws-cdk']).toBe(ours.devDependencies['aws-cdk'])
})

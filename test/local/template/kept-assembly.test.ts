/** An assembly is synthesized once, and again whenever it may be another. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemblyFor } from '../../../local/template/kept-assembly.ts'

const CONF = `backend.dynamo.region = us-west-2
backend.dynamo.pool1.server = http://localhost:8000
backend.dynamo.pool1.aws_access_key_id = unused
backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}
`
const TEMPLATE = 'MqttBackend.template.json'

let directory: string
let cache: string
let conf: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kept-'))
  cache = join(directory, 'cache')
  conf = join(directory, 'my.conf')
  writeFileSync(conf, CONF)
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What an assembly says and has; whether it came from the cache. */
async function made(options: Readonly<Record<string, unknown>> = {}) {
  const said: string[] = []
  const began = Date.now()
  const assembly = await assemblyFor({ conf, ...options }, (line) => said.push(line), cache)
  const template = readFileSync(join(assembly.directory, TEMPLATE), 'utf8')
  const kept = statSync(join(assembly.directory, TEMPLATE)).mtimeMs < began
  await assembly.remove()
  return { said, template, kept }
}

it('is the same the second time, with the same warnings', async () => {
  const first = await made()
  expect(first).toMatchObject({ kept: false, said: [expect.stringContaining('aws_access_key_id is not used')] })
  expect(await made()).toEqual({ ...first, kept: true })
}, 60_000)

it('is made anew for another option, another conf, and another file that the conf includes', async () => {
  await made()
  expect(await made({ retention: 'dev' })).toMatchObject({ kept: false })
  const included = join(directory, 'more.conf')
  writeFileSync(included, '')
  appendFileSync(conf, 'include more.conf\n')
  // It says the same as before.
  await made()
  appendFileSync(included, 'backend.dynamo.hook.session.created.1 = {"action": {"function": "on_subscribe_lookup"}, "pool": "pool1"}\n')
  expect(await made()).toMatchObject({ kept: false, template: expect.stringContaining('SessionCreated') })
}, 60_000)

it('has functions that Node takes for CommonJS, as Lambda does, below a package.json of ES modules', async () => {
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  await made()
  const [asset] = readdirSync(keptIn()[0]!).filter((name) => name.startsWith('asset.') && !name.includes('.zip'))
  const bundle = join(keptIn()[0]!, asset!, 'index.js')
  writeFileSync(bundle, 'module.exports = 1')
  expect(spawnSync(process.execPath, ['-p', `require(${JSON.stringify(bundle)})`], { encoding: 'utf8' }).stdout).toBe('1\n')
}, 60_000)

const keptIn = () => readdirSync(cache).map((name) => join(cache, name))

it('is made anew where what was kept has changed, or is not whole', async () => {
  const first = await made()
  appendFileSync(join(keptIn()[0]!, TEMPLATE), ' ')
  expect(await made()).toEqual(first)
  rmSync(join(keptIn()[0]!, 'manifest.json'))
  expect(await made()).toEqual(first)
  expect(await made()).toEqual({ ...first, kept: true })
}, 60_000)

it('two that start at once both have a whole one', async () => {
  const [one, other] = await Promise.all([made(), made()])
  expect(one).toEqual(other)
  expect(keptIn()).toHaveLength(1)
}, 60_000)

it('is not kept where nothing can be written, which is no error', async () => {
  writeFileSync(cache, 'a file, not a folder')
  expect(await made()).toMatchObject({ kept: false })
  expect(await made()).toMatchObject({ kept: false })
  expect(readFileSync(cache, 'utf8')).toBe('a file, not a folder')
}, 60_000)

it('goes when nobody started it for a month; what was started stays', async () => {
  await made()
  const [old] = keptIn()
  const monthAgo = Date.now() / 1000 - 31 * 24 * 3600
  utimesSync(old!, monthAgo, monthAgo)
  expect(await made()).toMatchObject({ kept: true })
  expect(Date.now() - statSync(old!).mtimeMs).toBeLessThan(3600_000)
  utimesSync(old!, monthAgo, monthAgo)
  await made({ retention: 'dev' })
  expect(existsSync(old!)).toBe(false)
}, 60_000)

it('a bad conf is refused each time, and nothing is kept', async () => {
  writeFileSync(conf, 'backend.dynamo.nothing = 1\n')
  for (let i = 0; i < 2; i++) await expect(made()).rejects.toThrow(/my\.conf:1: /)
  expect(keptIn()).toEqual([])
}, 60_000)

it("is its owner's alone", async () => {
  await made()
  expect(statSync(cache).mode & 0o077).toBe(0)
}, 60_000)

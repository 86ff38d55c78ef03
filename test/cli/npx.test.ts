/**
 * `npx mqtt-dynamodb` in a checkout, and what a command loads.
 *
 * @seconds 16
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ended, startMqttDynamodb } from '../support/run-program.ts'

const ROOT = join(import.meta.dirname, '..', '..')

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'npx-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const npx = (from: string, ...args: string[]) => {
  // Nothing of an earlier call, and no registry.
  const env = { ...process.env, npm_config_cache: join(directory, 'cache'), npm_config_registry: 'http://127.0.0.1:9' }
  const { status, stdout, stderr } = spawnSync('npx', ['mqtt-dynamodb', ...args], { cwd: join(ROOT, from), env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test("runs the checkout's own command, without the network", () => {
  expect(npx('.', '--version')).toEqual({ status: 0, stdout: '0.2.0\n', stderr: '' })
}, 60_000)

test('from a folder of the checkout: paths are relative to it, the default conf is found', () => {
  const first = (stdout: string) => stdout.split('\n')[0]
  expect(first(npx('docs', 'conf').stdout)).toBe('../etc/emqx_backend_dynamo.conf: 10 rows, region us-west-2')
  expect(first(npx('etc', 'conf', 'emqx_backend_dynamo.conf').stdout)).toBe('emqx_backend_dynamo.conf: 10 rows, region us-west-2')
  expect(npx('docs', 'conf', 'none.conf')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'conf: FILE is "none.conf", wanted a file that can be read (ENOENT) (see --help)\n',
  })
}, 60_000)

/** The packages of node_modules that a run has loaded, without the loader of TypeScript. */
async function packagesOf(...args: string[]): Promise<string[]> {
  const coverage = mkdtempSync(join(directory, 'loaded-'))
  const { err } = await ended(startMqttDynamodb(args, { NODE_V8_COVERAGE: coverage }))
  expect(err).toBe('')
  const urls = readdirSync(coverage).flatMap((file) =>
    (JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }).result.map(({ url }) => url),
  )
  const names = urls.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
  return [...new Set(names.filter((name) => name !== undefined))]
    .filter((name) => !['tsx', 'get-tsconfig', 'esbuild'].includes(name))
    .sort()
}

test.each(['start', 'demo', 'conf', 'dead-letters', 'smoke', 'costs', 'scale', 'init', 'template'])(
  'the help of %s loads no CDK, no SDK and no MQTT client',
  async (command) => {
    const packages = await packagesOf(command, '--help')
    expect(packages.filter((name) => name !== 'jsonc-parser')).toEqual(['@commander-js/extra-typings', 'commander'])
  },
)

test('costs loads none of them for its answer either', async () => {
  expect(await packagesOf('costs', '--publishes', '1')).toEqual(['@commander-js/extra-typings', 'commander'])
})

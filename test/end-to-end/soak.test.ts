/**
 * `npm run soak` as a process: a small one that holds, what it refuses, how it ends.
 *
 * @seconds 30
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/mqtt-client.ts'
import { killPrograms, runProgram } from '../support/run-program.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'soaks-'))
})
afterEach(() => {
  killPrograms()
  rmSync(directory, { recursive: true })
})

const run = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  runProgram('test/soak/soak-command.ts', args, { TMPDIR: directory, ...environment })

const SMALL = ['--clients', '8', '--topics', '24', '--publishes', '600', '--kills', '3', '--restarts', '1', '--seed', '1']
/** What the program itself leaves behind; Node and its loaders have caches there too. */
const left = () => readdirSync(directory).filter((name) => name.startsWith('soak-'))

test('I1, I3, I5, I6: 600 publishes, handlers and the stack killed: every message is accounted for', async () => {
  const soak = run([...SMALL, '--json'])
  const status = await soak.status
  const report = JSON.parse(soak.out()) as Record<string, unknown> & { misbehaviours: Record<string, number> }
  expect({ status, lost: report.lost, violations: report.violations }).toEqual({ status: 0, lost: [], violations: [] })
  expect(report).toMatchObject({ published: 600, deadLetters: 0, kills: 3, restarts: 1 })
  // What came on a topic kept for many, and nobody read, stays until it expires. A queue that was not drained is a violation.
  expect(Number(report.delivered) + Number(report.pending)).toBe(600)
  expect(report.copiesOwed).toBeGreaterThan(0)
  // It was no idle walk.
  expect(report.pendingBeforeLast).toBeGreaterThan(0)
  expect(report.interrupted).toBeGreaterThanOrEqual(3)
  for (const kind of ['duplicate', 'reorder', 'delay', 'throttle']) expect(report.misbehaviours[kind]).toBeGreaterThan(0)
  expect(left()).toEqual([])
}, 180_000)

test('Ctrl-C ends it and all its processes', async () => {
  const soak = run(SMALL)
  await eventually('it publishes', () => soak.err().includes('soak: publishing'), 30_000)
  soak.child.kill('SIGINT')
  expect(await soak.status).toBe(130)
  expect(soak.err()).toContain('soak: interrupted, all processes ended\n')
  expect(soak.out()).toBe('')
  expect(left()).toEqual([])
}, 60_000)

test('refuses wrong use in one line, with status 2', async () => {
  const soak = run(['--publishes', '0'])
  expect(await soak.status).toBe(2)
  expect(soak.err()).toBe('soak: --publishes is "0", wanted a whole number from 1 to 1e7 (see --help)\n')
})

test('--dynamodb local without Java says so in one line, with status 1', async () => {
  const soak = run([...SMALL, '--dynamodb', 'local'], { PATH: directory })
  expect(await soak.status).toBe(1)
  expect(soak.err()).toMatch(/soak: DynamoDB Local needs Java 17 or newer, or a running docker; got no java on the PATH\n$/)
  expect(left()).toEqual([])
})

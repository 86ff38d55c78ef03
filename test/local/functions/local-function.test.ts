import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalFunction } from '../../../local/functions/local-function.ts'
import { eventually } from '../../support/mqtt-client.ts'

const CODE = `
let calls = 0
exports.handler = async (event, context) => {
  calls++
  if (event.throw) throw new TypeError('no ' + event.throw)
  if (event.exit) process.exit(3)
  if (event.sleep) await new Promise((resolve) => setTimeout(resolve, event.sleep))
  if (event.log) console.log(event.log)
  const remaining = context.getRemainingTimeInMillis()
  return { calls, env: { ...process.env }, remaining, functionName: context.functionName, id: context.awsRequestId }
}`

let directory: string
let lines: string[]
let running: LocalFunction

beforeEach(() => {
  lines = []
  directory = mkdtempSync(join(tmpdir(), 'function-'))
  writeFileSync(join(directory, 'index.js'), CODE)
  running = functionOf(directory)
})
afterEach(async () => {
  await running.kill()
  rmSync(directory, { recursive: true })
})

const functionOf = (code: string) =>
  new LocalFunction({
    name: 'hook',
    code,
    handler: 'index.handler',
    timeoutMs: 1000,
    memoryMegabytes: 256,
    environment: { ONLY: 'this' },
    log: (line) => void lines.push(line),
  })

interface Result {
  calls: number
  env: object
  remaining: number
  functionName: string
  id: string
}
const invoke = (event: object) => running.invoke(event) as Promise<Result>

test('a handler finds its environment and nothing else, and a context', async () => {
  const result = await invoke({})
  expect(result).toMatchObject({ calls: 1, env: { ONLY: 'this' }, functionName: 'hook' })
  expect(Object.keys(result.env)).toEqual(['ONLY'])
  expect(result.remaining).toBeGreaterThan(500)
  expect(result.remaining).toBeLessThanOrEqual(1000)
  expect((await invoke({})).id).not.toBe(result.id)
})

test('the remaining time counts down', async () => {
  expect((await invoke({ sleep: 300 })).remaining).toBeLessThanOrEqual(710)
})

test('what a handler prints is passed on, line by line', async () => {
  await invoke({ log: '{"level":"INFO"}' })
  await eventually('line', () => lines.length === 1)
  expect(lines).toEqual(['{"level":"INFO"}'])
})

test("a throw is the invocation's failure, and the thread goes on", async () => {
  await expect(invoke({ throw: 'luck' })).rejects.toMatchObject({ code: 'function-error', message: 'TypeError: no luck' })
  expect((await invoke({})).calls).toBe(2)
})

test('a timeout fails the invocation; the next one finds a new thread', async () => {
  await invoke({})
  await expect(invoke({ sleep: 5000 })).rejects.toMatchObject({ code: 'function-timeout', message: 'hook timed out after 1 s' })
  expect((await invoke({})).calls).toBe(1)
})

test('a neighbour of an invocation that times out still ends', async () => {
  const late = invoke({ sleep: 5000 }).catch((error) => error.code)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const neighbour = invoke({ sleep: 700 })
  expect(await late).toBe('function-timeout')
  expect(await neighbour).toMatchObject({ functionName: 'hook' })
})

test('killed in the middle: the invocation fails, the next one finds a new thread', async () => {
  await invoke({})
  const cut = expect(invoke({ sleep: 900 })).rejects.toMatchObject({ code: 'function-ended' })
  await running.kill()
  await cut
  expect((await invoke({})).calls).toBe(1)
})

test('an exit in the handler fails the invocation', async () => {
  await expect(invoke({ exit: true })).rejects.toMatchObject({ code: 'function-ended' })
})

test('refuses code that is not there', async () => {
  running = functionOf(join(directory, 'nowhere'))
  await expect(running.warm()).rejects.toThrow('Cannot find module')
  await expect(invoke({})).rejects.toMatchObject({ code: 'function-ended' })
})

/**
 * I15: the memory of each function, as deployed, with the largest inputs that IoT Core's quotas and ten events a batch allow.
 * @slow
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { DATA_ENDPOINT_VARIABLE, DELIVERY_QUEUE_VARIABLE, TABLE_NAMES, tableVariable } from '../../lambda/core/tables.ts'
import { bundleHooks } from '../../lib/pipeline/hook-bundles.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import { clientFor, createTables } from '../support/engines.ts'
import { World } from '../support/world.ts'

const LARGEST = 'x'.repeat(128 * 1024)
/** 45 MB of retained messages, and queues of 13 MB each. */
const RETAINED = 360
const QUEUED = 100
const QUEUES = ['q/0', 'q/1', 'q/2', 'q/3']
/** Eight filters, IoT Core's most in one SUBSCRIBE. */
const FILTERS = [...QUEUES, '#', 'r/#', 'r/+', '+/+']
/** The same for clients that subscribe themselves. */
const OWN_QUEUES = ['own/0', 'own/1', 'own/2', 'own/3']
const OWN_FILTERS = [...OWN_QUEUES, '#', 'r/#', 'r/+', '+/+']
const LIVE = ['live/0', 'live/1']
const BATCH = Array.from({ length: 10 }, (_, i) => `c${i}`)
/** What a function must leave free of its memory, for events that nobody has thought of. */
const MARGIN = 0.25

/** Loads a bundle as Lambda does, handles one batch, and says how much memory that took at its peak. */
const PROGRAM = `
  const { readFileSync } = require('node:fs')
  const [bundle, file] = process.argv.slice(1)
  const { handler } = require(bundle)
  process.stdout.write = () => true
  handler(JSON.parse(readFileSync(file, 'utf8')), { getRemainingTimeInMillis: () => 30000 }).then(({ batchItemFailures }) => {
    const memory = Number(/VmHWM:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
    process.stderr.write(JSON.stringify({ failures: batchItemFailures.length, memory }))
    process.exit(0)
  })`

describe('the memory of a function, with a margin of a quarter', () => {
  let engine: Awaited<ReturnType<typeof startEmbedded>>
  let dataPlane: Server
  let sends = 0
  let world: World
  let directory: string
  let environment: Record<string, string>

  beforeAll(async () => {
    engine = await startEmbedded({ host: '127.0.0.1', port: 0, inWorker: true })
    const client = clientFor(engine.url)
    const tables = await createTables({ client })
    world = new World({ name: 'embedded', url: engine.url, client }, tables)
    world.now = Date.now() - 3_600_000
    await fill()
    dataPlane = await answering(() => sends++)
    const answers = `http://127.0.0.1:${(dataPlane.address() as AddressInfo).port}`
    directory = mkdtempSync(join(tmpdir(), 'memory-'))
    writeBundles()
    environment = {
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: engine.url,
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_ENDPOINT_URL_SQS: answers,
      [DELIVERY_QUEUE_VARIABLE]: `${answers}/1/deliveries`,
      [DATA_ENDPOINT_VARIABLE]: answers,
      ...Object.fromEntries(TABLE_NAMES.map((table) => [tableVariable(table), tables[table]])),
    }
  }, 240_000)
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true })
    dataPlane.closeAllConnections()
    dataPlane.close()
    world.engine.client.destroy()
    await engine.close()
  })

  async function fill(): Promise<void> {
    const retained = Array.from({ length: RETAINED }, (_, i) => `r/${i}`)
    for (const topic of retained) world.native.set(topic, { payload: Buffer.from(LARGEST), qos: 1, lastModified: world.now })
    await publishAll(retained)
    world.native.clear()
    await publishAll([...QUEUES, ...OWN_QUEUES].flatMap((topic) => Array<string>(QUEUED).fill(topic)))
    for (const c of BATCH) {
      await world.connect(c, 's1')
      await world.subscribe(c, 's1', ...LIVE)
    }
    await publishAll(LIVE.flatMap((topic) => Array<string>(QUEUED).fill(topic)))
    for (const c of BATCH) for (const filter of FILTERS) await world.operatorSubscribes(`o${c}`, filter)
    for (const c of BATCH) await world.connect(`s${c}`, 's1')
    world.wait(60_000)
  }
  /** One of 128 KB on each topic, ten in a batch, slowly enough for settling. */
  async function publishAll(topics: readonly string[]): Promise<void> {
    for (let i = 0; i < topics.length; i += 10) {
      const events = topics.slice(i, i + 10).map((topic) => {
        world.wait(300)
        return world.publishEvent(topic, LARGEST)
      })
      await world.handle('message.publish', ...events)
    }
  }

  function writeBundles(): void {
    const bundles = bundleHooks(HOOKS.filter((hook) => world.configs.some((config) => config.hook === hook)))
    for (const [hook, code] of bundles) {
      const place = mkdtempSync(join(directory, `${hook}-`))
      writeFileSync(join(place, 'index.js'), code)
      writeFileSync(join(place, 'hook.json'), JSON.stringify(world.configOf(hook)))
      places.set(hook, place)
    }
  }
  const places = new Map<HookName, string>()

  /** Megabytes at the peak, and how many events of the batch were not handled to their end. */
  async function measure(hook: HookName, events: readonly object[]): Promise<{ failures: number; memory: number }> {
    const place = places.get(hook)!
    const file = join(place, 'events.json')
    writeFileSync(file, JSON.stringify({ Records: events.map((event, i) => ({ messageId: `m${i}`, body: JSON.stringify(event) })) }))
    const { memoryMegabytes } = HOOK_SETTINGS[hook]
    const heap = `--max-old-space-size=${Math.floor(memoryMegabytes * 0.75)}`
    const env = { ...environment, LAMBDA_TASK_ROOT: place }
    const { stderr } = await promisify(execFile)(process.execPath, [heap, '-e', PROGRAM, join(place, 'index.js'), file], { env })
    const answer = JSON.parse(stderr.slice(stderr.lastIndexOf('{"failures"')))
    if (process.env.SHOW_MEMORY)
      console.log(`${hook}: ${Math.round(answer.memory)} of ${memoryMegabytes} MB, ${answer.failures} unfinished`)
    return answer
  }
  const isWithin = (hook: HookName, memory: number) => expect(memory).toBeLessThan(HOOK_SETTINGS[hook].memoryMegabytes * (1 - MARGIN))

  it('message.acked: 10 events of 100 acknowledgements each', async () => {
    const ids = (await world.scan('mqtt_msg'))
      .filter(({ topic }) => topic?.S === 'q/0')
      .map(({ msgid }) => ({ msgid: msgid!.S, topic: 'q/0' }))
    const { memory } = await measure(
      'message.acked',
      BATCH.map((c) => world.ackEvent(c, ids.slice(0, 100))),
    )
    isWithin('message.acked', memory)
  })

  it('message.publish: 10 publishes of 128 KB, of which IoT Core is asked', async () => {
    const { failures, memory } = await measure(
      'message.publish',
      BATCH.map((c) => world.publishEvent(`new/${c}`, LARGEST)),
    )
    expect(failures).toBe(0)
    isWithin('message.publish', memory)
  })

  it('session.unsubscribed and client.disconnected: 10 clients, two queues of 100 messages of 128 KB are settled', async () => {
    const gone = await measure(
      'session.unsubscribed',
      BATCH.slice(0, 5).map((c) => world.unsubscribedEvent(c, 's1', ...LIVE)),
    )
    isWithin('session.unsubscribed', gone.memory)
    const { failures, memory } = await measure(
      'client.disconnected',
      BATCH.map((c) => world.disconnectedEvent(c, 's1')),
    )
    expect(failures).toBe(0)
    isWithin('client.disconnected', memory)
  })

  it('client.connected: 10 clients with eight rows each of an older connection', async () => {
    const { failures, memory } = await measure(
      'client.connected',
      BATCH.map((c) => world.connectedEvent(`o${c}`, 's1')),
    )
    expect(failures).toBe(0)
    isWithin('client.connected', memory)
  })

  it.each<[HookName, () => object[]]>([
    ['session.subscribed', () => BATCH.map((c) => world.subscribedEvent(`s${c}`, 's1', ...OWN_FILTERS))],
    ['session.created', () => BATCH.map((c) => world.connectedEvent(`o${c}`, 's1'))],
  ])(
    '%s: 10 clients with eight filters each, 45 MB retained, 100 queued messages of 128 KB on each of four topics',
    async (hook, events) => {
      const before = sends
      const { memory } = await measure(hook, events())
      expect(sends - before).toBeGreaterThan(100)
      isWithin(hook, memory)
    },
  )
})

/** A data plane whose clients are connected and acknowledge after 20 ms; IoT Core holds no retained message. And SQS, for the next slices. */
async function answering(sent: () => void): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 65_000 }, async (message: IncomingMessage, response) => {
    for await (const _ of message) {
    }
    const reply = (status: number, body: object, type?: string) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...(type && { 'x-amzn-errortype': type }) })
        .end(JSON.stringify(body))
    if (message.headers['x-amz-target']?.toString().startsWith('AmazonSQS')) reply(200, { MessageId: 'next-slice' })
    else if (message.method === 'POST') {
      sent()
      setTimeout(() => reply(200, { message: 'OK' }), 20)
    } else if (message.url?.includes('/subscriptions'))
      reply(200, { subscriptions: [...FILTERS, ...OWN_QUEUES, ...LIVE].map((topicFilter) => ({ topicFilter, qos: 1 })) })
    else if (message.url?.startsWith('/connections')) reply(200, { connected: true, connectedSince: 0, keepAliveDuration: 60 })
    else reply(404, { message: 'nothing there' }, 'ResourceNotFoundException')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

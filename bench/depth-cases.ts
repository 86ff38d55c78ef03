/** What the depth block measures: one event of each hook, and the same by EMQX's access pattern. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { systemClock } from '../lambda/adapters/environment.ts'
import type { Ports } from '../lambda/core/ports.ts'
import { ackEvent, connectedEvent, disconnectedEvent, msgidOfPublish, publishEvent, subscribedEvent } from './events.ts'
import { type Clients, DEFAULT_ROWS, handlersOn, QUEUE_ROWS, type Row } from './handlers.ts'
import { type Original, originalMsgid } from './original.ts'
import type { Tables } from './six-tables.ts'

export interface DepthFigure {
  readonly name: string
  readonly atMost?: number
}

export interface DepthCase {
  /** In the order of what `sample` returns. */
  readonly figures: readonly DepthFigure[]
  /** The n-th event: milliseconds of each figure. */
  readonly sample: (n: number) => Promise<readonly number[]>
  /** EMQX's pattern for the same, in ms; and what it is called. */
  readonly original?: { readonly name: string; readonly sample: (n: number) => Promise<unknown> }
  /** Devices acknowledge at once: only DynamoDB is far away. */
  readonly devicesNear?: true
  /** How many rows there must be at the end. Default: not looked at. */
  readonly rows?: (samples: number) => Partial<Record<keyof Tables, number>>
}

export interface Ground {
  readonly clients: Clients
  readonly tables: Tables
  readonly original: Original
  /** How often each case is sampled, at most. */
  readonly samples: number
  /** Messages in the queue of a subscriber. */
  readonly queued: number
}

/** All of them, on empty tables of their own. The far end is near while they prepare. */
export const DEPTH_CASES: readonly ((ground: Ground) => Promise<DepthCase>)[] = [
  publish,
  publishDefault,
  ackTopic,
  puback,
  connect,
  sessionCreated,
  disconnect,
  retainedLookup,
  subscribe,
]

/** When everything begins: queued messages are older than who subscribes. */
const START = Date.now() - 600_000
/** Numbers of EMQX's queued messages begin here: it keeps the messages of all cases in one table. */
const QUEUED = 1_000_000
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}
const originalMessage = (n: number, topic: string) => ({ msgid: originalMsgid(n), topic, sender: 'c', payload: `${n}`.padEnd(100, '.') })

async function publish({ clients, tables, original }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  return {
    figures: [{ name: 'publish', atMost: 2.2 }],
    sample: async (n) => [await timed(() => handle('message.publish', publishEvent('depth/publish', n, { at: START + n })))],
    original: { name: 'Put, then ADD', sample: (n) => original.publish(originalMessage(n, 'depth/publish')) },
    rows: (samples) => ({ mqtt_msg: samples }),
  }
}

/** The default conf also asks what IoT Core retains, and who is subscribed by wildcards on a client's behalf. */
async function publishDefault({ clients, tables }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables, rows: DEFAULT_ROWS })
  return {
    figures: [{ name: 'publish, default conf (asks GetRetainedMessage, looks for wildcards of operators)' }],
    sample: async (n) => [await timed(() => handle('message.publish', publishEvent('depth/default', n, { at: START + n })))],
    rows: (samples) => ({ mqtt_msg: samples }),
  }
}

async function ackTopic({ clients, tables, original, samples }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  const topic = (n: number) => `depth/ack/${n}`
  await handle('session.subscribed', subscribedEvent('acker', 's', ['depth/ack/#'], START))
  for (let n = 0; n < samples; n++) await handle('message.publish', publishEvent(topic(n), n, { at: START + n }))
  return {
    figures: [{ name: 'an ack by the ack topic', atMost: 3.2 }],
    sample: async (n) => [
      await timed(() => handle('message.acked', ackEvent('acker', msgidOfPublish(n, START + n), topic(n), Date.now()))),
    ],
    original: { name: 'Put, Delete, DELETE', sample: (n) => original.ack(topic(n), 'acker', originalMsgid(n)) },
    rows: (done) => ({ mqtt_msg: samples - done, mqtt_acked: done }),
  }
}

/** From the PUBACK of a direct message to a server-side subscriber until the message is off the queue. */
async function puback({ clients, tables }: Ground): Promise<DepthCase> {
  const watch = newWatch()
  const { handle } = handlersOn({ clients, tables, rows: DEFAULT_ROWS, watched: watch.on })
  const row = { clientid: { S: 'device' }, topic: { S: 'depth/push' }, qos: { N: '1' } }
  await clients.dynamodb.send(new PutItemCommand({ TableName: tables.mqtt_sub, Item: row }))
  await handle('session.created', connectedEvent('device', 's', START))
  return {
    figures: [{ name: 'an ack by PUBACK', atMost: 3.2 }],
    async sample(n) {
      watch.reset()
      await handle('message.publish', publishEvent('depth/push', n, { at: START + n }))
      return [performance.now() - watch.lastAck]
    },
    rows: () => ({ mqtt_msg: 0, mqtt_acked: 1 }),
  }
}

async function connect({ clients, tables, original }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  return {
    figures: [{ name: 'connect: client.connected', atMost: 1.2 }],
    sample: async (n) => [await timed(() => handle('client.connected', connectedEvent(`c${n}`, 's', START)))],
    original: { name: 'Put, then Query', sample: (n) => original.connected(`c${n}`) },
    rows: (samples) => ({ mqtt_client: samples }),
  }
}

async function sessionCreated({ clients, tables }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables, rows: DEFAULT_ROWS })
  return {
    figures: [{ name: 'connect: session.created, no row of an operator', atMost: 1.2 }],
    sample: async (n) => [await timed(() => handle('session.created', connectedEvent(`c${n}`, 's', START)))],
  }
}

async function disconnect({ clients, tables, original, samples }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  for (let n = 0; n < samples; n++) await handle('client.connected', connectedEvent(`c${n}`, 's', START))
  return {
    figures: [{ name: 'disconnect without subscriptions', atMost: 1.2 }],
    sample: async (n) => [await timed(() => handle('client.disconnected', disconnectedEvent(`c${n}`, 's', START + 1)))],
    original: { name: 'one Update', sample: (n) => original.disconnected(`c${n}`) },
    rows: () => ({ mqtt_client: samples }),
  }
}

/** What the row of on_retain_lookup adds to a subscribed event. */
async function retainedLookup({ clients, tables, original }: Ground): Promise<DepthCase> {
  const rows: Row[] = [{ hook: 'session.subscribed', action: 'on_retain_lookup', topic: 'depth/lookup' }]
  const { handle } = handlersOn({ clients, tables, rows })
  const subscribe = (n: number, topic: string) => timed(() => handle('session.subscribed', subscribedEvent(`c${n}`, 's', [topic], START)))
  return {
    figures: [{ name: 'exact retained lookup', atMost: 1.2 }],
    sample: async (n) => [(await subscribe(n, 'depth/lookup')) - (await subscribe(n, 'depth/other'))],
    original: { name: 'one Get', sample: () => original.retained('depth/lookup') },
    rows: (samples) => ({ mqtt_sub: 2 * samples }),
  }
}

/** Nothing is taken off (no message.acked row), so the queue stays as it is; devices acknowledge at once and nobody is paced. */
async function subscribe({ clients, tables, original, queued }: Ground): Promise<DepthCase> {
  const watch = newWatch()
  const rows = QUEUE_ROWS.filter(({ hook }) => hook !== 'message.acked')
  const clock = { ...systemClock, sleep: async () => {} }
  const { handle } = handlersOn({ clients, tables, rows, clock, watched: watch.on })
  const messages = Array.from({ length: queued }, (_, n) => publishEvent('depth/queue', n, { at: START + n }))
  for (let i = 0; i < queued; i += 10) await handle('message.publish', ...messages.slice(i, i + 10))
  for (let i = 0; i < queued; i += 25)
    await Promise.all(messages.slice(i, i + 25).map((_, n) => original.publish(originalMessage(QUEUED + i + n, 'depth/queue'))))
  return {
    devicesNear: true,
    figures: [
      { name: `subscribe, ${queued} queued: the first message is on its way`, atMost: 4.2 },
      { name: `subscribe, ${queued} queued: all of them are read`, atMost: 4.2 },
    ],
    async sample(n) {
      watch.reset()
      const started = performance.now()
      await handle('session.subscribed', subscribedEvent(`r${n}`, 's', ['depth/queue'], Date.now()))
      if (watch.sends !== queued) throw new Error(`${watch.sends} of ${queued} queued messages were sent`)
      const taken = [watch.firstSend - started, watch.lastRead - started]
      await handle('client.disconnected', disconnectedEvent(`r${n}`, 's', Date.now()))
      return taken
    },
    original: {
      name: 'Get, then BatchGets one after the other',
      sample: async () => checkAll(await original.fetch('depth/queue'), queued),
    },
    rows: () => ({ mqtt_msg: queued, mqtt_sub: 0 }),
  }
}

function checkAll(fetched: readonly unknown[], wanted: number): void {
  if (fetched.length !== wanted) throw new Error(`EMQX's pattern fetched ${fetched.length} of ${wanted}`)
}

/** When a handler's calls began and ended, on this process's clock. */
function newWatch() {
  const watch = {
    sends: 0,
    firstSend: 0,
    lastAck: 0,
    lastRead: 0,
    reset: () => Object.assign(watch, { sends: 0, firstSend: 0, lastAck: 0, lastRead: 0 }),
    on: (ports: Ports): Ports => ({
      ...ports,
      messages: {
        ...ports.messages,
        async get(msgids) {
          const found = await ports.messages.get(msgids)
          watch.lastRead = performance.now()
          return found
        },
      },
      device: {
        ...ports.device,
        async send(...args) {
          if (watch.sends++ === 0) watch.firstSend = performance.now()
          const outcome = await ports.device.send(...args)
          watch.lastAck = performance.now()
          return outcome
        },
      },
    }),
  }
  return watch
}

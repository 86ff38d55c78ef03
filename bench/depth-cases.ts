/** What the depth block measures: one event of each hook, and the same by EMQX's access pattern. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type DepthCase, type Ground, originalMessage, START } from './depth-case.ts'
import { subscribe, subscribeAll } from './depth-subscribe.ts'
import { ackEvent, connectedEvent, disconnectedEvent, msgidOfPublish, publishEvent, subscribedEvent } from './events.ts'
import { DEFAULT_ROWS, handlersOn, type Row } from './handlers.ts'
import { originalMsgid } from './original.ts'
import { watchedSends } from './watched-sends.ts'

/** All of them, on empty tables of their own. The far end is near while they prepare. */
export const DEPTH_CASES: readonly ((ground: Ground) => Promise<DepthCase>)[] = [
  publish,
  publishDefault,
  ackTopic,
  puback,
  connect,
  firstConnect,
  sessionCreated,
  disconnect,
  retainedLookup,
  subscribe,
  subscribeAll,
]

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

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
  const watch = watchedSends()
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

/** As a client comes back. */
async function connect({ clients, tables, original, samples }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  for (let n = 0; n < samples; n++) {
    await handle('client.connected', connectedEvent(`c${n}`, 's', START))
    await handle('client.disconnected', disconnectedEvent(`c${n}`, 's', START + 1))
  }
  return {
    figures: [{ name: 'connect, after a disconnect', atMost: 1.2 }],
    sample: async (n) => [await timed(() => handle('client.connected', connectedEvent(`c${n}`, 'later', START + 2, 1)))],
    original: { name: 'Put, then Query', sample: (n) => original.connected(`c${n}`) },
    rows: () => ({ mqtt_client: samples }),
  }
}

async function firstConnect({ clients, tables, original }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables })
  return {
    figures: [{ name: 'connect of a client that was never seen', atMost: 1.2 }],
    sample: async (n) => [await timed(() => handle('client.connected', connectedEvent(`c${n}`, 's', START)))],
    original: { name: 'Put, then Query', sample: (n) => original.connected(`new${n}`) },
    rows: (samples) => ({ mqtt_client: samples }),
  }
}

async function sessionCreated({ clients, tables }: Ground): Promise<DepthCase> {
  const { handle } = handlersOn({ clients, tables, rows: DEFAULT_ROWS })
  return {
    figures: [{ name: 'session.created without rows of an operator', atMost: 1.2 }],
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

/** For each hook an event, what must be in the tables before it, and what must be there when it was handled. */
import { randomUUID } from 'node:crypto'
import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { HookName } from '../lambda/core/hooks.ts'
import { encodeMsgid } from '../lambda/core/msgid.ts'
import type { TableName } from '../lambda/core/tables.ts'

export interface FirstEvent {
  readonly event: object
  /** @throws Error if the event left not what it should */
  check(): Promise<void>
}
type Item = Record<string, AttributeValue>
interface Rows {
  put(table: TableName, item: Item): Promise<unknown>
  get(table: TableName, key: Item): Promise<Item | undefined>
}

const S = (text: string) => ({ S: text })
const N = (number: number) => ({ N: `${number}` })

/** Each has a client, a session and a topic of its own. Tables have their plain names. */
export async function firstEvent(hook: HookName, client: DynamoDBClient): Promise<FirstEvent> {
  const rows: Rows = {
    put: (TableName, Item) => client.send(new PutItemCommand({ TableName, Item })),
    get: async (TableName, Key) => (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item,
  }
  const own: Own = { clientid: `cold-${randomUUID()}`, session: randomUUID(), topic: `cold/${randomUUID()}`, now: Date.now() }
  const { event, holds } = await FIRST[hook](own, rows)
  return {
    event,
    async check() {
      if (!(await holds())) throw new Error(`${hook}: the tables do not show that its event was handled`)
    },
  }
}

interface Own {
  readonly clientid: string
  readonly session: string
  readonly topic: string
  readonly now: number
}
type First = (own: Own, rows: Rows) => Promise<{ event: object; holds: () => Promise<boolean> }>

const presence = ({ clientid, session, now }: Own, eventType: string) => ({
  clientId: clientid,
  timestamp: now,
  eventType,
  sessionIdentifier: session,
  versionNumber: 1,
})
const subscription = ({ clientid, session, topic, now }: Own, eventType: string) => ({
  clientId: clientid,
  timestamp: now,
  eventType,
  sessionIdentifier: session,
  topics: [topic],
})

/** Of a message that was published ten minutes ago. */
const msgidOf = (now: number) =>
  encodeMsgid({ micros: BigInt(now - 600_000) * 1000n, node: BigInt(`0x${randomUUID().slice(0, 8)}`), sequence: 1 })

const FIRST: Readonly<Record<HookName, First>> = {
  'client.connected': async (own, { get }) => ({
    event: { ...presence(own, 'connected'), ipAddress: '127.0.0.1' },
    holds: async () => (await get('mqtt_client', { clientid: S(own.clientid) }))?.connect_state?.N === '1',
  }),

  'session.created': async (own, { put, get }) => {
    await put('mqtt_sub', { clientid: S(own.clientid), topic: S(own.topic), qos: N(1) })
    return {
      event: presence(own, 'connected'),
      holds: async () => (await get('mqtt_topic_msg_map', { topic: S(own.topic) }))?.live?.M?.[own.clientid] !== undefined,
    }
  },

  'client.disconnected': async (own, { get }) => ({
    event: { ...presence(own, 'disconnected'), clientInitiatedDisconnect: true, disconnectReason: 'CLIENT_INITIATED_DISCONNECT' },
    holds: async () => (await get('mqtt_client', { clientid: S(own.clientid) }))?.connect_state?.N === '0',
  }),

  'session.subscribed': async (own, { get }) => ({
    event: subscription(own, 'subscribed'),
    holds: async () => (await get('mqtt_sub', { clientid: S(own.clientid), topic: S(own.topic) }))?.origin?.S === 'client',
  }),

  'session.unsubscribed': async (own, { put, get }) => {
    const key = { clientid: S(own.clientid), topic: S(own.topic) }
    await put('mqtt_acked', { ...key, msgid: S(msgidOf(own.now)) })
    return { event: subscription(own, 'unsubscribed'), holds: async () => (await get('mqtt_acked', key)) === undefined }
  },

  'message.publish': async ({ clientid, topic, now }, { get }) => ({
    event: {
      topic,
      clientid,
      timestamp: now,
      traceid: randomUUID(),
      uuid: randomUUID(),
      payload: Buffer.alloc(100, 'x').toString('base64'),
    },
    holds: async () => (await get('mqtt_topic_msg_map', { topic: S(topic) }))?.MsgId?.SS?.length === 1,
  }),

  'message.acked': async ({ clientid, topic, now }, { put, get }) => {
    const msgid = msgidOf(now)
    const message = { sender: S('a'), qos: N(1), retain: N(0), payload: S('x'), arrived: N(Math.floor(now / 1000) - 600) }
    await put('mqtt_msg', { msgid: S(msgid), topic: S(topic), ...message })
    await put('mqtt_topic_msg_map', { topic: S(topic), MsgId: { SS: [msgid] } })
    await put('mqtt_sub', { clientid: S(clientid), topic: S(topic), qos: N(1) })
    const payload = Buffer.from(JSON.stringify({ msgid, topic })).toString('base64')
    return {
      event: { topic: `acked/${clientid}`, clientid, timestamp: now, payload },
      holds: async () => (await get('mqtt_msg', { msgid: S(msgid) })) === undefined,
    }
  },
}

/** An operator's rows of mqtt_sub: server-side subscriptions. No write here changes a row that a client's own SUBSCRIBE made. */
import { ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { N, S } from '../../lambda/adapters/tables/attributes.ts'
import { BackendError } from '../../lambda/core/errors.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import type { Presence } from '../../lambda/core/model/presence.ts'
import { SqsQueue } from '../dead-letters/sqs-queue.ts'
import { type QueueFlags, withQueues } from '../dead-letters/stack-queues.ts'
import type { Tables } from './operator-tables.ts'

export interface OperatorRow {
  readonly clientid: string
  /** The filter, as mqtt_sub calls it. */
  readonly topic: string
}

type Rows = Pick<Tables, 'dynamodb' | 'tables'>

const OPERATORS = 'attribute_exists(clientid) AND attribute_not_exists(origin)'

/** @throws BackendError `own-subscription` where the client has subscribed itself: that row is its own, and brings the messages already */
export async function addRow({ dynamodb, tables }: Rows, { clientid, topic }: OperatorRow, qos: number): Promise<void> {
  const put = new PutItemCommand({
    TableName: tables.mqtt_sub,
    Item: { clientid: S(clientid), topic: S(topic), qos: N(qos) },
    ConditionExpression: `attribute_not_exists(clientid) OR (${OPERATORS})`,
  })
  await dynamodb.send(put).catch((error) => {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    throw new BackendError('own-subscription', `client ${JSON.stringify(clientid)} has subscribed to it itself: nothing was added`)
  })
}

/** @throws BackendError `not-found`, `own-subscription` */
export async function deleteRow({ dynamodb, tables }: Rows, { clientid, topic }: OperatorRow): Promise<void> {
  const remove = new DeleteItemCommand({
    TableName: tables.mqtt_sub,
    Key: { clientid: S(clientid), topic: S(topic) },
    ConditionExpression: OPERATORS,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })
  await dynamodb.send(remove).catch((error) => {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    const client = `client ${JSON.stringify(clientid)}`
    if (error.Item === undefined)
      throw new BackendError('not-found', `${client} has no row for ${JSON.stringify(topic)} in mqtt_sub: nothing was deleted`)
    throw new BackendError('own-subscription', `${client} has subscribed to it itself: only it can unsubscribe, nothing was deleted`)
  })
}

/** Those that may carry on_subscribe_lookup. An event that comes twice, or to a hook without that action, changes nothing (I4). */
const LOOKUP_HOOKS: readonly HookName[] = ['client.connected', 'session.created']

/** Puts an event on the queues of these hooks. */
export type Tell = (hooks: readonly HookName[], event: object) => Promise<void>

/** @throws BackendError with one line if SQS cannot be reached, refuses, or does not take it */
export const tellQueues =
  (flags: QueueFlags): Tell =>
  (hooks, event) =>
    sendToQueues(flags, hooks, JSON.stringify(event))

async function sendToQueues(flags: QueueFlags, hooks: readonly HookName[], body: string): Promise<void> {
  await withQueues(flags, async ({ client, queues }) => {
    const urls = hooks.flatMap((hook) => queues.hooks.get(hook)?.events ?? [])
    const sent = await Promise.all(urls.map((url) => new SqsQueue(client, url).send([body])))
    const [refused] = sent.flat().flatMap((one) => ('code' in one ? [one.code] : []))
    if (refused !== undefined) throw new BackendError('sqs', `SQS did not take the connected event: ${refused}`)
  })
}

/** As IoT Core sent it, from what the row keeps of it. */
const connectedEvent = ({ clientid, session, version, eventAt }: Presence): object => ({
  clientId: clientid,
  timestamp: eventAt,
  eventType: 'connected',
  sessionIdentifier: session,
  versionNumber: version,
})

/** From when on the row brings something. */
export type LiveFrom = 'now' | 'when it connects' | 'its next connection'

/**
 * Has the connected event of a client that is connected handled again. A client that has unsubscribed from the filter itself on this
 * connection stays as it wanted: a repeated event of it must not subscribe it again (I4).
 */
export async function goLive({ ports }: { readonly ports: Ports }, { clientid, topic }: OperatorRow, tell: Tell): Promise<LiveFrom> {
  const presence = await ports.clients.presence(clientid)
  if (!isConnected(presence)) return 'when it connects'
  const gone = await ports.topics.goneSince(topic, clientid)
  if (gone !== undefined && gone.session === presence.session && Math.max(gone.until, gone.earlier) >= (presence.eventAt ?? 0))
    return 'its next connection'
  await tell(LOOKUP_HOOKS, connectedEvent(presence))
  return 'now'
}

/** Whether the row tells enough of the connection. A row that EMQX wrote does not. */
const isConnected = (presence: Presence | undefined): presence is Presence =>
  presence?.connected === true && presence.session !== undefined && presence.eventAt !== undefined && presence.version !== undefined

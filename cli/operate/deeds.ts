/** What the console and the commands change. Each change is a conditional write of the handlers, or goes through IoT Core. */
import { DeleteConnectionCommand, PublishCommand } from '@aws-sdk/client-iot-data-plane'
import type { HookTable } from '../../lambda/core/hooks.ts'
import type { Homes } from '../../lambda/core/model/topic-row.ts'
import { millisOfMsgid } from '../../lambda/core/msgid.ts'
import { dropIds } from '../../lambda/core/queue/acknowledge.ts'
import { pendingForwards } from '../../lambda/core/queue/pending.ts'
import { topicMatches } from '../../lambda/core/topic.ts'
import { checkPublishTopic } from '../../local/mqtt/iot-limits.ts'
import type { PassReport } from '../dead-letters/queue-pass.ts'
import { redrive } from '../dead-letters/redrive.ts'
import { withQueues } from '../dead-letters/stack-queues.ts'
import { NotFound } from './not-found.ts'
import type { OpenTables } from './operator-tables.ts'

/** @throws NotFound */
export async function kick({ iot }: Pick<OpenTables, 'iot'>, clientId: string, { clean }: { readonly clean: boolean }): Promise<void> {
  try {
    await iot.send(new DeleteConnectionCommand({ clientId, cleanSession: clean }))
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error
    throw new NotFound(`client ${JSON.stringify(clientId)} is not connected: there is nothing to end`)
  }
}

/**
 * Takes off the queue what waits there now, as an acknowledgement does: first the messages, then their ids. History stays.
 * @param table that the handlers run with: it says where history is kept
 * @param before milliseconds: only what was published earlier
 * @returns how many messages @throws NotFound
 */
export async function purge({ ports }: Pick<OpenTables, 'ports'>, topic: string, table: HookTable, before?: number): Promise<number> {
  const { topics, messages } = ports
  const row = await topics.head(topic)
  if (row === undefined) throw new NotFound(`topic ${JSON.stringify(topic)} has no queue`)
  const keep = keepsHistory(table, topic)
  let purged = 0
  for await (const pending of pendingForwards(topics, row)) {
    const homes = before === undefined ? pending : olderThan(before, pending)
    const ids = [...homes.keys()]
    if (keep) await topics.removeIds(topic, homes)
    else {
      await messages.remove(ids)
      await dropIds(ports, topic, homes)
    }
    purged += ids.length
  }
  return purged
}

const olderThan = (ms: number, homes: Homes): Homes => new Map([...homes].filter(([id]) => millisOfMsgid(id) < ms))

const keepsHistory = ({ rows }: HookTable, topic: string): boolean =>
  rows.some((row) => row.action === 'on_message_store' && topicMatches(row.topic ?? '#', topic))

export interface Publication {
  readonly topic: string
  readonly payload: string | Buffer
  readonly qos: 0 | 1
  readonly retain: boolean
  /** MQTT 5 user properties, in their order. */
  readonly user?: readonly (readonly [key: string, value: string])[]
  readonly contentType?: string | undefined
}

/** Publishes through IoT Core, so that its rules see the message. @throws BackendError `bad-topic-name` */
export async function publish(
  { iot }: Pick<OpenTables, 'iot'>,
  { topic, payload, user: sent = [], contentType, ...flags }: Publication,
): Promise<void> {
  checkPublishTopic(topic)
  const user = flags.retain ? asRetained(sent) : sent
  const properties = user.length === 0 ? {} : { userProperties: JSON.stringify(user.map(([key, value]) => ({ [key]: value }))) }
  const type = contentType === undefined ? {} : { contentType }
  await iot.send(new PublishCommand({ topic, payload: Buffer.from(payload), ...flags, ...properties, ...type }))
}

type User = NonNullable<Publication['user']>

/** Rules cannot see RETAIN: a row with `"retain": "property"` goes by the user property alone. */
const asRetained = (user: User): User => [...user.filter(([key]) => key !== 'retain'), ['retain', '1']]

/**
 * An empty retained publish: IoT Core forgets the message, and its event deletes the row. As QoS 0 it is on no queue, also where
 * there was nothing to delete.
 */
export const deleteRetained = (place: Pick<OpenTables, 'iot'>, topic: string): Promise<void> =>
  publish(place, { topic, payload: '', qos: 1, retain: true, user: [['qos', '0']] })

/** What a redrive would do, or what it did. */
export const letters = (dataUrl: string, { dryRun }: { readonly dryRun: boolean }): Promise<PassReport[]> =>
  withQueues({ endpoint: dataUrl }, ({ client, queues }) => redrive(client, queues, { dryRun }))

/** What must hold on topics kept for many (I11): each subscriber gets each message that was published since it first subscribed. */
import { listensTo } from '../../lambda/core/durable-filter.ts'
import { hasWildcard, parseSubscription } from '../../lambda/core/topic.ts'
import type { Scene } from './scene.ts'
import type { SimClient } from './sim-client.ts'

/** I11, once everybody has come back. */
export const missing = (scene: Scene): string[] =>
  [...scene.iotCore.clients.values()].flatMap((client) =>
    [...client.reads, ...operatorsReads(scene, client)].flatMap(([topic, since]) =>
      owed(scene, client, topic, since).map((name) => `I11: ${name} of ${topic} never reached ${client.id}, which subscribed before it`),
    ),
  )

/** The same at rest, of subscribers to which we deliver and that are there. */
export function waiting(scene: Scene): string[] {
  const { iotCore, dynamodb, queues } = scene
  const isLeased = (topic: string) =>
    dynamodb
      .rows('mqtt_topic_msg_map')
      .some(
        (row) =>
          row.topic?.S?.split('\u0000')[0] === topic &&
          Object.values(row.live?.M ?? {}).some((seat) => queues.abandoned.has(seat.M?.catching?.M?.by?.S ?? '')),
      )
  return [...iotCore.clients.values()].flatMap((client) => {
    const { connection, silenced, id } = client
    if (connection === undefined) return []
    const own = client.durable
      ? [...connection.subscribedAt].map(
          ([filter, at]) => [listensTo(filter, 'durable/'), Math.max(at, client.reads.get(listensTo(filter, 'durable/')) ?? at)] as const,
        )
      : operatorsReads(scene, client).map(([topic]) => [topic, connection.since] as const)
    return own
      .filter(([topic]) => !hasWildcard(topic) && !silenced.has(topic) && !isLeased(topic))
      .flatMap(([topic, since]) =>
        owed(scene, client, topic, since).map((name) => `limbo: ${name} is kept on ${topic} while ${id} is there`),
      )
  })
}

const owed = ({ iotCore, evidence }: Scene, { got }: SimClient, topic: string, since: number): string[] =>
  iotCore.published
    .filter(
      (one) =>
        one.topic === topic &&
        one.publishedAt > since &&
        !got.has(one.msgid) &&
        !iotCore.hasExpired(one.msgid) &&
        !evidence.purged.has(one.msgid),
    )
    .map(({ name }) => name)

/** An operator's row that stood all the time subscribes its client from its first connection on. */
const operatorsReads = ({ operator }: Scene, client: SimClient): [topic: string, since: number][] =>
  client.operator
    .map((filter) => parseSubscription(filter).filter)
    .filter((topic) => !hasWildcard(topic) && !operator.wasDeleted(client.id, topic) && client.firstAt !== undefined)
    .map((topic) => [topic, client.firstAt!])

/** What is remembered of a subscriber that was forgotten would never leave. */
export const forgotten = ({ dynamodb }: Scene): string[] =>
  dynamodb
    .rows('mqtt_acked')
    .filter(({ windows, seq }) => windows !== undefined && seq === undefined)
    .map(({ clientid, topic }) => `I11: ${clientid?.S} has windows on ${topic?.S}, and no read position`)

/** Ids in the topic's segments [from, to). */
export const segmentsOf = (dynamodb: Scene['dynamodb'], topic: string, from: number, to: number): string[] =>
  dynamodb.rows('mqtt_topic_msg_map').flatMap((row) => {
    const [name, number] = row.topic?.S?.split('\u0000') ?? []
    const isWithin = name === topic && /^\d+$/.test(number ?? '') && Number(number) >= from && Number(number) < to
    return isWithin ? (row.MsgId?.SS ?? []) : []
  })

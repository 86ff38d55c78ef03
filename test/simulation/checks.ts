/** What must hold (DESIGN.md, section 4), asked of the rows and of what the clients truly got. */

import { liveOf } from '../../lambda/adapters/tables/topic-rows.ts'
import { listensTo } from '../../lambda/core/durable-filter.ts'
import { splitEntry } from '../../lambda/core/model/topic-row.ts'
import { hasWildcard, parseSubscription } from '../../lambda/core/topic.ts'
import type { IotCore } from './iot-core.ts'
import { forgotten, waiting } from './many.ts'
import type { Row } from './rows.ts'
import type { Scene } from './scene.ts'
import type { Published, SimClient } from './sim-client.ts'
import { leftBehindIn, namesLeftBehind } from './witness.ts'

/** With every event handled: the rows say the truth, and nobody waits. */
export function atRest(scene: Scene): string[] {
  return [...namesAndRows(scene), ...presence(scene), ...retained(scene), ...liveEntries(scene), ...limbo(scene), ...forgotten(scene)]
}

/** After a fresh subscriber drained every topic. */
export function emptied(scene: Scene): string[] {
  const { iotCore, dynamodb, evidence } = scene
  // What clears a retained message is no message to keep, as in EMQX; nor is an empty one that cannot be told from it (docs/guarantees.md).
  const messages = iotCore.published.filter((one) => one.retain !== 'clear' && !looksLikeClear(iotCore, one))
  const nowhere = messages.filter(
    ({ msgid }) =>
      !evidence.unpromised.has(msgid) &&
      !evidence.purged.has(msgid) &&
      ![...iotCore.clients.values()].some(({ got, dropped }) => got.has(msgid) || dropped.has(msgid)),
  )
  const left = dynamodb
    .rows('mqtt_msg')
    .filter((row) => !leftBehindIn(scene).has(row.msgid?.S ?? ''))
    .map((row) => nameIn(iotCore, row.msgid?.S))
  const names = dynamodb.rows('mqtt_topic_msg_map').flatMap((row) => [...(row.MsgId?.SS ?? []), ...(row.sealing?.SS ?? [])])
  return [
    ...names.map((id) => `I5: ${nameIn(iotCore, id)} is named after the last subscriber drained everything`),
    ...nowhere.map(({ name, topic }) => `I1 lost: ${name} of ${topic} reached nobody`),
    ...left.map((name) => `I2: ${name} is pending, but the last subscriber did not get it or it was not acknowledged`),
    ...atRest(scene),
  ]
}

/** Empty, on a topic whose retained message was cleared some time: whoever looked in between saw the same of both. */
const looksLikeClear = ({ published }: IotCore, { payload, topic }: Published): boolean =>
  payload === '' && published.some((other) => other.retain === 'clear' && other.topic === topic)

const NUL = '\u0000'
const nameIn = (iotCore: IotCore, msgid: string | undefined) => iotCore.byId.get(msgid ?? '')?.name ?? `${msgid}`
const isHead = (row: Row) => !row.topic?.S?.includes(NUL)

/**
 * I5: named and stored are the same ids; nothing below `first`. A run that died between the message and its name leaves the name,
 * which the next reader cleans; if a repeated publish stored the message again just then, it leaves the row of a message that was
 * acknowledged. A repeated publish may also name one twice, once without a message.
 */
function namesAndRows(scene: Scene): string[] {
  const { iotCore, dynamodb, evidence } = scene
  const leftBehind = leftBehindIn(scene)
  const halfPurged = new Set(namesLeftBehind(evidence))
  const map = dynamodb.rows('mqtt_topic_msg_map')
  const named = new Map<string, string[]>()
  for (const row of map) {
    for (const [place, ids] of [
      ['', row.MsgId?.SS],
      [' sealing', row.sealing?.SS],
    ] as const) {
      for (const id of ids ?? []) named.set(id, [...(named.get(id) ?? []), `${row.topic?.S?.replace(NUL, '|')}${place}`])
    }
  }
  const stored = new Set(dynamodb.rows('mqtt_msg').map((row) => row.msgid?.S ?? ''))
  const below = map.filter(isHead).flatMap((head) => {
    const first = Number(head.first?.N ?? 0)
    return map.filter((row) => {
      const [topic, number] = row.topic?.S?.split(NUL) ?? []
      return topic === head.topic?.S && /^\d+$/.test(number ?? '') && Number(number) < first && row.MsgId !== undefined
    })
  })
  return [
    ...[...named]
      .filter(
        ([id]) => !stored.has(id) && !iotCore.hasExpired(id) && !leftBehind.has(id) && !halfPurged.has(id) && !evidence.namedAgain.has(id),
      )
      .map(([id, places]) => `I5: ${places} names ${nameIn(iotCore, id)}, which does not exist`),
    ...[...stored]
      .filter((id) => !named.has(id) && !iotCore.hasExpired(id) && !leftBehind.has(id))
      .map((id) => `I5: nothing names ${nameIn(iotCore, id)}, which exists`),
    ...below.map(
      (row) => `I5: segment ${row.topic?.S?.replace(NUL, '|')} is below first and names ${row.MsgId?.SS?.map((id) => nameIn(iotCore, id))}`,
    ),
  ]
}

/** I6: `mqtt_client` ends as the last true event says. */
function presence({ iotCore, dynamodb }: Scene): string[] {
  const rows = new Map(dynamodb.rows('mqtt_client').map((row) => [row.clientid?.S, row]))
  return [...iotCore.clients.values()].flatMap((client) => {
    if (client.connections === 0 || client.lastEventLost) return []
    const row = rows.get(client.id)
    const wanted = client.connection === undefined ? '0' : '1'
    const session = client.connection?.session
    const right = row?.connect_state?.N === wanted && (session === undefined || row?.session?.S === session)
    return right ? [] : [`I6: ${client.id} is shown ${row?.connect_state?.N} in ${row?.session?.S}, true is ${wanted} in ${session}`]
  })
}

/** I6: `mqtt_retain` ends as the last retained publish of each topic says. */
function retained(scene: Scene): string[] {
  const { iotCore, dynamodb, cast } = scene
  if (cast.retained === undefined) return []
  const leftBehind = leftBehindIn(scene)
  const rows = new Map(dynamodb.rows('mqtt_retain').map((row) => [row.topic?.S, row.msgid?.S]))
  return cast.topics
    .filter((topic) => rows.get(topic) !== iotCore.retained.get(topic)?.msgid && !leftBehind.has(rows.get(topic) ?? ''))
    .map((topic) => {
      const [shown, truth] = [rows.get(topic), iotCore.retained.get(topic)?.msgid].map((id) =>
        id === undefined ? 'nothing' : nameIn(iotCore, id),
      )
      return `I6: mqtt_retain shows ${shown} on ${topic}, true is ${truth}`
    })
}

interface LiveEntry {
  readonly topic: string
  readonly client: SimClient
  readonly filter: string
  readonly live: ReturnType<typeof liveOf> extends Map<string, infer Live> ? Live : never
}

function entriesOf({ iotCore, dynamodb }: Scene): LiveEntry[] {
  return dynamodb.rows('mqtt_topic_msg_map').flatMap((row) => {
    const topic = row.topic?.S?.split(NUL)[0] ?? ''
    return [...liveOf(row.live)].map(([entry, live]) => {
      const [clientid, filter = topic] = splitEntry(entry)
      if (!iotCore.clients.has(clientid)) throw new Error(JSON.stringify(row))
      return { topic, client: iotCore.clients.get(clientid)!, filter, live }
    })
  })
}

/** Who is live is connected and subscribed, in that session; who is connected and subscribed is live; nobody waits for a drainer. */
function liveEntries(scene: Scene): string[] {
  const { iotCore, queues } = scene
  const entries = entriesOf(scene)
  const stale = entries.flatMap(({ topic, client, filter, live }) => {
    const who = `${client.id} on ${topic} (${live.kind} ${live.session})`
    // A second receive of its subscribed event died after the first had finished: nobody looks after it but the next connect.
    if (queues.abandoned.has(live.session)) return []
    if (live.kind === 'server' && scene.operator.wasDeleted(client.id, filter) && !scene.operator.isHeld(client, filter)) return []
    // A subscribed event handled after two later connections, or while its end is handled and a later connection's disconnect has overtaken
    // its connect: no row tells that its session is over, until the client subscribes again.
    const later = client.connections - (iotCore.numbers.get(live.session) ?? 1)
    const untold = later >= 2 || (later === 1 && client.connection === undefined)
    if (live.kind !== 'server' && untold && !hasRow(scene, client, filter)) return []
    // A session that goes on under its identifier while the end of its earlier connection is handled beside a SUBSCRIBE of that connection.
    if (scene.cast.persistent === 'same' && live.kind === 'client' && !hasRow(scene, client, filter)) return []
    if (client.connection === undefined) return client.lastEventLost ? [] : [`stale live: ${who}, but not connected`]
    if (client.connection.session !== live.session) return [`stale live: ${who}, but connected in ${client.connection.session}`]
    if (live.kind !== 'server' && !client.connection.filters.has(filter)) return [`stale live: ${who}, but unsubscribed`]
    return live.catching === undefined || queues.abandoned.has(live.catching.by) ? [] : [`limbo: ${who} is catching, and nobody drains`]
  })
  const missing = [...iotCore.clients.values()].flatMap((client) => {
    const { connection, operator } = client
    if (connection === undefined) return []
    const isLive = (filter: string, kind: string) =>
      isSilenced(client, filter) ||
      client.givenUp.has(filter) ||
      entries.some((one) => one.client === client && one.filter === filter && one.live.kind === kind)
    const kind = client.durable ? 'durable' : 'client'
    const native = [...connection.announced].filter((filter) => (client.durable || !hasWildcard(filter)) && !isLive(filter, kind))
    const server = operator.filter((filter) => scene.operator.isHeld(client, filter) && !isLive(parseSubscription(filter).filter, 'server'))
    return [...native, ...server].map((filter) => `not live: ${client.id} in ${connection.session} is subscribed to ${filter}`)
  })
  return [...stale, ...missing, ...subscriptionRows(scene)]
}

/** I15: it did not acknowledge, and is no subscriber until it comes again. */
const isSilenced = ({ silenced }: SimClient, filter: string): boolean => silenced.has(listensTo(filter, 'durable/'))

const hasRow = ({ dynamodb }: Scene, { id }: SimClient, filter: string): boolean =>
  dynamodb.rows('mqtt_sub').some((row) => row.clientid?.S === id && row.topic?.S === filter)

function subscriptionRows({ iotCore, dynamodb, queues }: Scene): string[] {
  const rows = dynamodb.rows('mqtt_sub').filter((row) => row.origin?.S === 'client')
  const stale = rows.filter((row) => {
    if (queues.abandoned.has(row.session?.S ?? '')) return false
    const client = iotCore.clients.get(row.clientid?.S ?? '')!
    if (client.connections - (iotCore.numbers.get(row.session?.S ?? '') ?? 1) >= 2) return false
    if (client.connection === undefined) return !client.lastEventLost
    return client.connection.session !== row.session?.S || !client.connection.filters.has(row.topic?.S ?? '')
  })
  const missing = [...iotCore.clients.values()].flatMap(({ id, connection }) =>
    [...(connection?.announced ?? [])]
      .filter((filter) => !rows.some((row) => row.clientid?.S === id && row.topic?.S === filter && row.session?.S === connection?.session))
      .map((filter) => `mqtt_sub has no row of ${id} for ${filter}`),
  )
  return [...stale.map((row) => `mqtt_sub: stale row of ${row.clientid?.S} for ${row.topic?.S}, session ${row.session?.S}`), ...missing]
}

/** I2: a pending message that nobody got, while a subscriber of its topic can be reached. */
function limbo(scene: Scene): string[] {
  if (scene.cast.many) return waiting(scene)
  const { iotCore, dynamodb, queues } = scene
  const all = [...iotCore.clients.values()]
  const leased = new Set(entriesOf(scene).flatMap(({ topic, live }) => (queues.abandoned.has(live.catching?.by ?? '') ? [topic] : [])))
  for (const row of dynamodb.rows('mqtt_topic_msg_map')) if (queues.abandoned.has(row.dispatch?.M?.by?.S ?? '')) leased.add(row.topic!.S!)
  const leftBehind = leftBehindIn(scene)
  return dynamodb.rows('mqtt_msg').flatMap((row) => {
    if (leftBehind.has(row.msgid?.S ?? '')) return []
    const topic = row.topic?.S ?? ''
    const msgid = row.msgid?.S ?? ''
    const servers = all.filter(
      (client) =>
        client.connection &&
        !isSilenced(client, topic) &&
        client.operator.some((filter) => parseSubscription(filter).filter === topic && scene.operator.isHeld(client, filter)),
    )
    const durables = all.filter(
      (client) =>
        client.durable &&
        !isSilenced(client, topic) &&
        [...(client.connection?.announced ?? [])].some((filter) => parseSubscription(filter).filter === `durable/${topic}`),
    )
    // Of a group another member may have got it.
    const natives = all.filter((client) => {
      const { id, connection } = client
      if (isSilenced(client, topic)) return false
      const isSure = connection?.announced.has(topic) && connection.filters.get(topic)?.qos === 1
      return isSure && !iotCore.wasNotLocal(id, msgid)
    })
    const name = nameIn(iotCore, msgid)
    // Nobody goes on under that id: the queue waits until its lease ends.
    if (leased.has(topic)) return []
    if (durables.length > 0) return [`limbo: ${name} is pending on ${topic} while durable subscriber ${durables[0]!.id} is there`]
    if (servers.length > 0) return [`limbo: ${name} is pending on ${topic} while server-side subscriber ${servers[0]!.id} is there`]
    // What waits for its turn is IoT Core's to deliver.
    const got = all.some((one) => one.got.has(msgid) || one.handed.get(msgid)?.some(({ connection }) => connection === one.connection))
    return natives.length > 0 && !got ? [`limbo: nobody got ${name} of ${topic} while ${natives[0]!.id} is there`] : []
  })
}

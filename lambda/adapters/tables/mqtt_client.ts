/** `mqtt_client`: who is online. By conditional writes, events in any order end in the true row (I6): one write an event, or more out of order. */
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Connected, Connection, Disconnected } from '../../core/events/lifecycle-events.ts'
import type { ClientTable } from '../../core/model/ports.ts'
import { followsEnd, type Presence, VERSION_HORIZON } from '../../core/model/presence.ts'
import { type Item, N, number, S, text } from './attributes.ts'
import { type Database, getItem, ifHolds } from './dynamodb.ts'

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** `node` is the page's attribute: `aws-iot@<region>`. */
export function clientTable(db: Database, node: string): ClientTable {
  const TableName = db.tables.mqtt_client
  return {
    async connected(event) {
      const put = new PutItemCommand({
        TableName,
        Item: {
          ...connectionAttributes(event),
          connect_state: N(1),
          node: S(node),
          online_at: N(seconds(event.at)),
          connected_at: N(event.at),
          offline_at: N(0),
          ...(event.ip === undefined ? {} : { ip: S(event.ip) }),
        },
        ConditionExpression: NEWER_OR_UNKNOWN,
        ...placeholders(event, horizon(event)),
        ReturnValues: 'ALL_OLD',
      })
      const done = await ifHolds(db.client.send(put))
      if (done !== undefined) return followsEnd(event, done.Attributes && presenceOf(done.Attributes))
      await noteOnline(event)
      return false
    },

    async disconnected(event) {
      // If the end of a connection comes before its connect, nobody knows when it began. Its connect may be handled between two of these writes.
      const writes: OfflineWrite[] = [
        OF_THE_ROW,
        { condition: NEWER_OR_UNKNOWN, more: ' REMOVE connected_at', values: horizon(event) },
        OF_THE_ROW,
      ]
      for (const write of writes) if (await setOffline(event, write)) return
    },

    async presence(clientid) {
      const item = await getItem(db, 'mqtt_client', { clientid: S(clientid) })
      return item && presenceOf(item)
    },
  }

  async function setOffline(event: Disconnected, { condition, more = '', values = {} }: OfflineWrite): Promise<boolean> {
    const update = new UpdateItemCommand({
      TableName,
      Key: { clientid: S(event.clientid) },
      UpdateExpression:
        'SET connect_state = :offline, offline_at = :seconds, event_at = :at, #session = :session, #version = :version, ' +
        `disconnect_reason = :reason, node = if_not_exists(node, :node), online_at = if_not_exists(online_at, :zero)${more}`,
      ConditionExpression: condition,
      ...placeholders(event, {
        ...values,
        ':offline': N(0),
        ':seconds': N(seconds(event.at)),
        ':reason': S(event.reason),
        ':node': S(node),
        ':zero': N(0),
      }),
    })
    return (await ifHolds(db.client.send(update))) !== undefined
  }

  /** The disconnect overtook its connect: the row stays offline, and gets the time of the connect. */
  async function noteOnline(event: Connected): Promise<void> {
    const update = new UpdateItemCommand({
      TableName,
      Key: { clientid: S(event.clientid) },
      UpdateExpression: `SET online_at = :seconds, connected_at = :at${event.ip === undefined ? '' : ', ip = :ip'}`,
      ConditionExpression: `${SAME_CONNECTION} AND connect_state = :offline`,
      ExpressionAttributeNames: NAMES,
      ExpressionAttributeValues: {
        ':session': S(event.session),
        ':version': N(event.version),
        ':offline': N(0),
        ':at': N(event.at),
        ':seconds': N(seconds(event.at)),
        ...(event.ip === undefined ? {} : { ':ip': S(event.ip) }),
      },
    })
    await ifHolds(db.client.send(update))
  }
}

const NAMES = { '#session': 'session', '#version': 'version' }
const SAME_CONNECTION = '#session = :session AND #version = :version'
const WRITTEN_BY_EMQX = 'attribute_not_exists(event_at)'
const MUCH_OLDER = 'event_at < :horizonBefore'
const NEAR = 'event_at BETWEEN :horizonBefore AND :horizonAfter'
const LOWER_VERSION = '#version < :version'
const OLDER_OF_SAME_VERSION = '#version = :version AND #session <> :session AND event_at < :at'
/** {@link isNewer} of core/model/presence.ts, said to DynamoDB; an unknown client has no event_at either. AND binds closer than OR. */
const NEWER_OR_UNKNOWN = [WRITTEN_BY_EMQX, MUCH_OLDER, `${NEAR} AND ${LOWER_VERSION}`, `${NEAR} AND ${OLDER_OF_SAME_VERSION}`].join(' OR ')

const placeholders = ({ session, version, at }: Connection, more: Item) => ({
  ExpressionAttributeNames: NAMES,
  ExpressionAttributeValues: { ':session': S(session), ':version': N(version), ':at': N(at), ...more },
})

const horizon = ({ at }: Connection): Item => ({ ':horizonBefore': N(at - VERSION_HORIZON), ':horizonAfter': N(at + VERSION_HORIZON) })

interface OfflineWrite {
  readonly condition: string
  readonly more?: string
  readonly values?: Item
}
const OF_THE_ROW: OfflineWrite = { condition: SAME_CONNECTION }

const connectionAttributes = (event: Connection): Item => ({
  clientid: S(event.clientid),
  session: S(event.session),
  version: N(event.version),
  event_at: N(event.at),
})

/** EMQX 4.x wrote milliseconds where 3.x and the page have seconds; no second before the year 5138 is so large. */
const inSeconds = (time: number): number => (time >= 100_000_000_000 ? seconds(time) : time)

function presenceOf(item: Item): Presence {
  const session = text(item.session)
  const version = number(item.version)
  const eventAt = number(item.event_at)
  const connectedAt = number(item.connected_at)
  return {
    clientid: text(item.clientid) ?? '',
    connected: number(item.connect_state) === 1,
    onlineAt: inSeconds(number(item.online_at) ?? 0),
    offlineAt: inSeconds(number(item.offline_at) ?? 0),
    ...(session === undefined ? {} : { session }),
    ...(version === undefined ? {} : { version }),
    ...(eventAt === undefined ? {} : { eventAt }),
    ...(connectedAt === undefined ? {} : { connectedAt }),
  }
}

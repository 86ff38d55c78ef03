/** `mqtt_sub`: rows without `origin` are an operator's (server-side subscriptions); `origin: client` rows come from subscribed events. */
import { ConditionalCheckFailedException, DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { SubscriptionTable } from '../../core/model/ports.ts'
import type { Subscription } from '../../core/model/seat.ts'
import { type Item, N, number, S, text } from './attributes.ts'
import { type Database, ifHolds, queryAll } from './dynamodb.ts'
import { contended, ROUNDS } from './topic-rows.ts'

export function subscriptionTable(db: Database): SubscriptionTable {
  const TableName = db.tables.mqtt_sub

  /** A SUBSCRIBE repeated in the same session: `since` stays, `at` is its time: an older unsubscribe deletes nothing. */
  async function renew(standing: Subscription, again: Subscription): Promise<boolean> {
    const { session, since = 0 } = again
    if (standing.origin === 'operator' || standing.session !== session || (standing.at ?? standing.since ?? 0) >= since) return true
    const { set, remove, values } = grantedOf(
      standing.granted === again.granted && again.grantedAt === undefined ? standing : { grantedAt: since, ...again },
    )
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf(standing),
      UpdateExpression: `SET #at = :at${set}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}`,
      ConditionExpression: `${OF_SESSION} AND (attribute_not_exists(#at) OR #at < :at)`,
      ExpressionAttributeNames: NAMES,
      ExpressionAttributeValues: { ':client': S('client'), ':session': S(session ?? ''), ':at': N(since), ...values },
    })
    return (await ifHolds(db.client.send(update))) !== undefined
  }

  return {
    async subscribed(subscription) {
      const { set, remove, values } = grantedOf(subscription)
      const update = new UpdateItemCommand({
        TableName,
        Key: keyOf(subscription),
        UpdateExpression: `SET qos = :qos, origin = :client, #session = :session, since = :since${set} REMOVE ${[...remove, '#at'].join(', ')}`,
        ConditionExpression: `attribute_not_exists(clientid) OR (${CLIENTS} AND #session <> :session AND since < :since)`,
        ExpressionAttributeNames: NAMES,
        ExpressionAttributeValues: {
          ':qos': N(subscription.qos),
          ':client': S('client'),
          ':session': S(subscription.session ?? ''),
          ':since': N(subscription.since ?? 0),
          ...values,
        },
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      for (let round = 0; round < ROUNDS; round++) {
        try {
          return subscriptionOf((await db.client.send(update)).Attributes ?? {})
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error
          const standing = subscriptionOf(error.Item ?? {})
          // Not renewed: the row was deleted meanwhile, and is written anew.
          if (await renew(standing, subscription)) return standing
        }
      }
      throw contended(subscription.topic)
    },

    async unsubscribed(clientid, topic, session, until) {
      const remove = new DeleteItemCommand({
        TableName,
        Key: keyOf({ clientid, topic }),
        ConditionExpression: `${OF_SESSION} AND since <= :until AND (attribute_not_exists(#at) OR #at <= :until)`,
        ExpressionAttributeNames: NAMES,
        ExpressionAttributeValues: { ':client': S('client'), ':session': S(session), ':until': N(until) },
      })
      await ifHolds(db.client.send(remove))
    },

    async of(clientid) {
      const items = await queryAll(db, 'mqtt_sub', {
        KeyConditionExpression: 'clientid = :clientid',
        ExpressionAttributeValues: { ':clientid': S(clientid) },
        ConsistentRead: true,
      })
      return items.map(subscriptionOf)
    },
  }
}

const NAMES = { '#session': 'session', '#at': 'at' }
const CLIENTS = 'origin = :client'
const OF_SESSION = `${CLIENTS} AND #session = :session`

/** Sets those of `granted` and `granted_at` that are known, removes the others. */
function grantedOf({ granted, grantedAt }: Pick<Subscription, 'granted' | 'grantedAt'>): { set: string; remove: string[]; values: Item } {
  const values = {
    ...(granted === undefined ? {} : { ':granted': N(granted) }),
    ...(grantedAt === undefined ? {} : { ':granted_at': N(grantedAt) }),
  }
  const names = ['granted', 'granted_at']
  const set = names.filter((name) => `:${name}` in values).map((name) => `, ${name} = :${name}`)
  return { set: set.join(''), remove: names.filter((name) => !(`:${name}` in values)), values }
}

const keyOf = ({ clientid, topic }: Pick<Subscription, 'clientid' | 'topic'>): Item => ({ clientid: S(clientid), topic: S(topic) })

function subscriptionOf(item: Item): Subscription {
  const session = text(item.session)
  const since = number(item.since)
  const at = number(item.at)
  const origin = text(item.origin) === 'client' ? 'client' : 'operator'
  const spill = origin === 'client' ? number(item.spill) : undefined
  const granted = number(item.granted)
  const grantedAt = number(item.granted_at)
  return {
    clientid: text(item.clientid) ?? '',
    topic: text(item.topic) ?? '',
    // Others write this table, too: a string is taken, and what is no number becomes NaN.
    qos: item.qos === undefined ? 1 : Number(item.qos.N ?? item.qos.S),
    origin,
    ...(session === undefined ? {} : { session }),
    ...(since === undefined ? {} : { since }),
    ...(at === undefined ? {} : { at }),
    ...(spill === undefined ? {} : { spill }),
    ...(granted === undefined ? {} : { granted }),
    ...(grantedAt === undefined ? {} : { grantedAt }),
  }
}

/** `mqtt_sub`: rows without `origin` are an operator's (server-side subscriptions); `origin: client` rows come from subscribed events. */
import { ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Subscription, SubscriptionTable } from '../core/ports.ts'
import { type Item, N, number, S, text } from './attributes.ts'
import { type Database, ifHolds, queryAll } from './dynamodb.ts'

export function subscriptionTable(db: Database): SubscriptionTable {
  const TableName = db.tables.mqtt_sub
  return {
    async subscribed(subscription) {
      const olderSession = '(origin = :client AND #session <> :session AND since < :since)'
      const put = new PutItemCommand({
        TableName,
        Item: itemOf(subscription),
        ConditionExpression: `attribute_not_exists(clientid) OR ${olderSession}`,
        ExpressionAttributeNames: { '#session': 'session' },
        ExpressionAttributeValues: {
          ':client': S('client'),
          ':session': S(subscription.session ?? ''),
          ':since': N(subscription.since ?? 0),
        },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      try {
        await db.client.send(put)
        return { operators: false }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return { operators: error.Item?.origin === undefined }
      }
    },

    async unsubscribed(clientid, topic, session, until) {
      const remove = new DeleteItemCommand({
        TableName,
        Key: { clientid: S(clientid), topic: S(topic) },
        ConditionExpression: 'origin = :client AND #session = :session AND since <= :until',
        ExpressionAttributeNames: { '#session': 'session' },
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

const itemOf = (subscription: Subscription): Item => ({
  clientid: S(subscription.clientid),
  topic: S(subscription.topic),
  qos: N(subscription.qos),
  origin: S('client'),
  session: S(subscription.session ?? ''),
  since: N(subscription.since ?? 0),
})

function subscriptionOf(item: Item): Subscription {
  const session = text(item.session)
  const since = number(item.since)
  const spill = number(item.spill)
  return {
    clientid: text(item.clientid) ?? '',
    topic: text(item.topic) ?? '',
    qos: number(item.qos) ?? 1,
    origin: text(item.origin) === 'client' ? 'client' : 'operator',
    ...(session === undefined ? {} : { session }),
    ...(since === undefined ? {} : { since }),
    ...(spill === undefined ? {} : { spill }),
  }
}

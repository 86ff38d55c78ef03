/** session.subscribed: queues that are drained, retained messages, and subscriptions that are no longer true. */
import { HEAD_IDS, HEAD_LIVE } from '../../../lambda/core/model/topic-row.ts'
import type { World } from '../../support/world.ts'
import { rowsWith } from '../../support/world.ts'
import { CANARY } from '../checks.ts'
import type { Given, HookEvent, Scenario } from '../scenario.ts'
import { crowd, disconnectOf, publishMany, RETAIN_BY_PROPERTY, RETAIN_BY_TOPIC } from './parts.ts'

const subscribed = (
  name: string,
  given: Scenario['given'],
  options: Scenario['options'] = { rows: RETAIN_BY_PROPERTY },
  more: Pick<Scenario, 'leaves'> = {},
): Scenario => ({ name: `subscribed: ${name}`, hook: 'session.subscribed', options, given, ...more })

const publish = (world: World, topic: string, payload: string): HookEvent => ({
  hook: 'message.publish',
  event: world.publishEvent(topic, payload),
})

/** The client is connected and subscribes to the filters. */
async function subscribing(world: World, ...filters: string[]): Promise<Given & { readonly rivals: Record<string, HookEvent> }> {
  await world.connect('c', 's1')
  const events = [world.subscribedEvent('c', 's1', ...filters)]
  world.wait(3_000)
  return {
    events,
    rivals: {
      disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 'c', 's1') },
      unsubscribe: { hook: 'session.unsubscribed', event: world.unsubscribedEvent('c', 's1', ...filters) },
    },
  }
}

export const SUBSCRIBED: readonly Scenario[] = [
  subscribed('nothing is queued', async (world) => {
    const given = await subscribing(world, 't')
    const early = world.publishEvent('t', `${CANARY}early`, { timestamp: world.now - 10_000 })
    return { ...given, rivals: { ...given.rivals, 'an early publish': { hook: 'message.publish', event: early } } }
  }),
  subscribed('a backlog in the head', async (world) => {
    await publishMany(world, 't', 0, 3)
    const given = await subscribing(world, 't')
    const other = world.connectedEvent('d', 's2')
    await world.handleConnected(other)
    const rivals = { 'another subscriber': { hook: 'session.subscribed', event: world.subscribedEvent('d', 's2', 't') } } as const
    return { ...given, rivals: { ...given.rivals, ...rivals, publish: publish(world, 't', `${CANARY}9`) } }
  }),
  subscribed('a durable subscriber: its backlog', async (world) => {
    await publishMany(world, 't', 0, 3)
    const given = await subscribing(world, 'durable/t')
    return { ...given, rivals: { ...given.rivals, publish: publish(world, 't', `${CANARY}9`) } }
  }),
  subscribed('a durable subscriber, and nothing is queued', async (world) => {
    const given = await subscribing(world, 'durable/t')
    return { ...given, rivals: { ...given.rivals, publish: publish(world, 't', `${CANARY}9`) } }
  }),
  subscribed('a backlog in segments and head', async (world) => {
    await publishMany(world, 't', 0, HEAD_IDS + 2)
    return { events: (await subscribing(world, 't')).events }
  }),
  subscribed('a backlog, its set half-way to a segment', async (world) => {
    await publishMany(world, 't', 0, 3)
    const head = (await world.row('mqtt_topic_msg_map', 't'))!
    await world.put('mqtt_topic_msg_map', {
      ...head,
      sealing: { SS: head.MsgId!.SS!.slice(0, 2) },
      sealed: { N: '0' },
      seq: { N: '1' },
      MsgId: { SS: head.MsgId!.SS!.slice(2) },
    })
    return { events: (await subscribing(world, 't')).events }
  }),
  subscribed('three filters, two of them queues', async (world) => {
    await publishMany(world, 'a', 0, 2)
    await publishMany(world, 'b', 2, 4)
    return subscribing(world, 'a', 'b', 'x/+')
  }),
  subscribed('shared', async (world) => {
    await publishMany(world, 't', 0, 2)
    return { events: (await subscribing(world, '$share/g/t')).events }
  }),
  subscribed('the head has no room for another live client', async (world) => {
    await publishMany(world, 't', 0, 2)
    await crowd(world, HEAD_LIVE)
    await publishMany(world, 't', 2, 4)
    return subscribing(world, 't')
  }),
  subscribed('a spilled client subscribes again', async (world) => {
    await crowd(world, HEAD_LIVE)
    const { events } = await subscribing(world, 't')
    await world.handle('session.subscribed', ...events)
    world.wait(2_000)
    return { events: [world.subscribedEvent('c', 's1', 't')] }
  }),
  subscribed('repeated in the same session', async (world) => {
    const { events } = await subscribing(world, 't')
    await world.handle('session.subscribed', ...events)
    world.wait(5_000)
    return { events: [world.subscribedEvent('c', 's1', 't')] }
  }),
  subscribed('subscribed again after an unsubscribe', async (world) => {
    const { events } = await subscribing(world, 't')
    await world.handle('session.subscribed', ...events)
    world.wait(2_000)
    await world.unsubscribe('c', 's1', 't')
    world.wait(2_000)
    await publishMany(world, 't', 0, 2)
    return {
      events: [world.subscribedEvent('c', 's1', 't')],
      rivals: { 'the first event again': { hook: 'session.subscribed', event: events[0]! } },
    }
  }),
  subscribed('stale: its connection is over', async (world) => {
    await publishMany(world, 't', 0, 2)
    const { events } = await subscribing(world, 't')
    await world.disconnect('c', 's1')
    return { events }
  }),
  subscribed('stale: it has unsubscribed', async (world) => {
    await publishMany(world, 't', 0, 2)
    const { events } = await subscribing(world, 't')
    await world.unsubscribe('c', 's1', 't')
    return { events }
  }),
  subscribed("to an operator's filter, exact and wildcard", async (world) => {
    await world.operatorSubscribes('c', 't')
    await world.operatorSubscribes('c', 'x/+')
    await publishMany(world, 't', 0, 2)
    return subscribing(world, 't', 'x/+')
  }),
  subscribed(
    'what has expired is cleaned',
    async (world) => {
      await publishMany(world, 't', 0, 2)
      world.wait(100_000)
      await publishMany(world, 't', 2, 3)
      return { events: (await subscribing(world, 't')).events }
    },
    { rows: RETAIN_BY_PROPERTY, expiredAfter: 60 },
  ),
  subscribed('names without messages are cleaned', async (world) => {
    await publishMany(world, 't', 0, HEAD_IDS + 1)
    const { stored } = await world.queue()
    await world.ports.messages.remove(stored.filter((_, i) => i % 4 !== 0))
    return { events: (await subscribing(world, 't')).events }
  }),
  subscribed(
    'retained, an exact filter',
    async (world) => {
      await world.publish('t', `${CANARY}1`)
      return { events: (await subscribing(world, 't')).events }
    },
    { rows: RETAIN_BY_TOPIC },
  ),
  subscribed(
    'retained, wildcard by the index',
    async (world) => {
      for (const topic of ['r/1', 'r/2', 'other/1']) await world.publish(topic, `${CANARY}${topic}`)
      return { events: (await subscribing(world, 'r/+')).events }
    },
    { rows: RETAIN_BY_TOPIC },
  ),
  subscribed(
    'retained, wildcard by a scan',
    async (world) => {
      for (const topic of ['r/1', 'r/2']) await world.publish(topic, `${CANARY}${topic}`)
      return { events: (await subscribing(world, '+/1')).events }
    },
    { rows: RETAIN_BY_TOPIC, retainIndex: false },
  ),
  subscribed('QoS 0 by its row: fetches nothing', async (world) => subscribing(world, 't'), {
    rows: rowsWith({ hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_queue', qos: 0 }),
  }),
  subscribed(
    'two events in a batch',
    async (world) => {
      await publishMany(world, 't', 0, 2)
      const { events } = await subscribing(world, 't')
      await world.connect('d', 's2')
      return { events: [...events, world.subscribedEvent('d', 's2', 't')] }
    },
    { rows: RETAIN_BY_PROPERTY },
    { leaves: ['to either'] },
  ),
]

/** message.publish: every branch that makes calls of its own. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb'
import { HEAD_IDS, segmentKey } from '../../../lambda/core/model/topic-row.ts'
import { rowsWith, rowsWithout, type World } from '../../support/world.ts'
import { CANARY } from '../checks.ts'
import type { Scenario } from '../scenario.ts'
import { disconnectOf, payloads, publishMany, RETAIN_BY_PROPERTY, RETAIN_BY_TOPIC } from './parts.ts'

const STORE = { hook: 'message.publish', topic: '#', action: 'on_message_store' } as const
const QOS_0 = { user_properties: [{ qos: '0' }] }

const publish = (
  name: string,
  given: Scenario['given'],
  options: Scenario['options'] = { rows: RETAIN_BY_PROPERTY },
  more: Pick<Scenario, 'leaves' | 'unqueued'> = {},
): Scenario => ({ name: `publish: ${name}`, hook: 'message.publish', options, given, ...more })

const acked = (world: World, clientid: string, msgid: string) => ({
  hook: 'message.acked' as const,
  event: world.ackEvent(clientid, msgid),
})

export const PUBLISH: readonly Scenario[] = [
  publish('a new topic', async (world) => ({
    events: [world.publishEvent('t', `${CANARY}1`)],
    rivals: {
      publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}2`) },
      subscribe: { hook: 'session.subscribed', event: world.subscribedEvent('n', 's1', 't') },
    },
  })),
  publish('fills the head, which is sealed', async (world) => {
    await publishMany(world, 't', 0, HEAD_IDS - 1)
    return {
      events: [world.publishEvent('t', `${CANARY}${HEAD_IDS}`)],
      rivals: { publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}${HEAD_IDS + 1}`) } },
    }
  }),
  publish('finds a set that another sealer left aside', async (world) => {
    // As after a crash between moving the set aside and putting the segment, and the head is filling again.
    await publishMany(world, 't', 0, HEAD_IDS)
    const segment = (await world.row('mqtt_topic_msg_map', segmentKey('t', 0)))!
    const head = (await world.row('mqtt_topic_msg_map', 't'))!
    await world.engine.client.send(new DeleteItemCommand({ TableName: world.tables.mqtt_topic_msg_map, Key: { topic: segment.topic! } }))
    await world.put('mqtt_topic_msg_map', { ...head, sealing: segment.MsgId!, sealed: { N: '0' } })
    await publishMany(world, 't', HEAD_IDS, 2 * HEAD_IDS - 1)
    return { events: [world.publishEvent('t', `${CANARY}${2 * HEAD_IDS}`)] }
  }),
  publish('a server-side subscriber is live: pushed and acknowledged', async (world) => {
    await world.operatorSubscribes('s', 't')
    await world.connect('s', 's1')
    world.wait(120_000)
    return {
      events: [world.publishEvent('t', `${CANARY}1`)],
      rivals: {
        publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}2`) },
        disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 's', 's1') },
      },
    }
  }),
  publish('two server-side subscribers, one by a wildcard', async (world) => {
    await world.operatorSubscribes('s', 'a/t')
    await world.operatorSubscribes('w', 'a/+')
    await world.connect('s', 's1')
    await world.connect('w', 's2')
    world.wait(120_000)
    return { events: [world.publishEvent('a/t', `${CANARY}1`)] }
  }),
  publish('a native client subscribed while it was being stored', async (world) => {
    await world.connect('n', 's1')
    const event = world.publishEvent('t', `${CANARY}1`)
    await world.subscribe('n', 's1', 't')
    world.wait(70_000)
    return { events: [event] }
  }),
  publish('a native client got it long ago', async (world) => {
    await world.connect('n', 's1')
    await world.subscribe('n', 's1', 't')
    world.wait(70_000)
    return { events: [world.publishEvent('t', `${CANARY}1`)], had: { n: [`${CANARY}1`] } }
  }),
  publish('a batch of several topics, an event twice in it', async (world) => {
    await world.operatorSubscribes('s', 'b')
    await world.connect('s', 's1')
    world.wait(120_000)
    const events = ['a', 'b', 'a', 'b', 'c'].map((topic, i) => world.publishEvent(topic, `${CANARY}${i}`))
    return { events: [...events, events[0]!] }
  }),
  publish(
    'seals in mid-window: a native subscriber is asked for',
    async (world) => {
      await world.connect('n', 's1')
      await world.subscribe('n', 's1', 't')
      world.wait(10_000)
      await publishMany(world, 't', 0, 2 * HEAD_IDS - 1, 1_000)
      world.wait(3_600_000)
      return { events: [world.publishEvent('t', `${CANARY}last`)], had: { n: [...payloads(0, 2 * HEAD_IDS - 1), `${CANARY}last`] } }
    },
    { rows: RETAIN_BY_PROPERTY },
    { leaves: ['unsettled'] },
  ),
  publish('leaves it to the drainer that is catching up', async (world) => {
    await world.operatorSubscribes('s', 't')
    await publishMany(world, 't', 0, 3)
    const event = world.connectedEvent('s', 's1')
    await world.handle('client.connected', event)
    // Its drain was cut short before it began.
    await world.ports.topics.goLive('t', { clientid: 's', topic: 't', qos: 1, origin: 'operator' }, 's', {
      kind: 'server',
      session: 's1',
      since: 1,
      at: 1,
      catching: { by: 'other', until: world.now - 1 },
    })
    world.wait(120_000)
    const events = [world.publishEvent('t', `${CANARY}3`)]
    return { events, next: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}4`) } }
  }),
  publish(
    'QoS 0, pushed to server-side subscribers',
    async (world) => {
      await world.operatorSubscribes('s', 'a/t')
      await world.operatorSubscribes('w', 'a/+')
      await world.connect('s', 's1')
      await world.connect('w', 's2')
      world.wait(120_000)
      return { events: [world.publishEvent('a/t', `${CANARY}1`, QOS_0)] }
    },
    { rows: RETAIN_BY_PROPERTY },
    { unqueued: true },
  ),
  publish('stored only', async (world) => ({ events: [world.publishEvent('t', `${CANARY}1`)] }), {
    rows: [...rowsWithout('on_message_publish'), STORE].filter(({ action }) => !/retain/.test(action)),
  }),
  publish(
    'queued and kept as history, pushed',
    async (world) => {
      await world.operatorSubscribes('s', 't')
      await world.connect('s', 's1')
      world.wait(120_000)
      return { events: [world.publishEvent('t', `${CANARY}1`)] }
    },
    { rows: rowsWith(STORE).filter(({ action }) => !/retain/.test(action)) },
  ),
  publish(
    'nothing is ever taken off: no message.acked',
    async (world) => {
      await world.operatorSubscribes('s', 't')
      await world.connect('s', 's1')
      world.wait(120_000)
      return { events: [world.publishEvent('t', `${CANARY}1`)] }
    },
    { rows: rowsWithout('on_message_acked_for_queue') },
  ),
  publish('repeated after it was acknowledged', async (world) => {
    const event = world.publishEvent('t', `${CANARY}1`)
    await world.handle('message.publish', event)
    await world.operatorSubscribes('c', 't')
    const [msgid] = (await world.queue()).stored
    return { events: [event], rivals: { ack: acked(world, 'c', msgid!) }, had: { c: [`${CANARY}1`] } }
  }),
  ...retained(),
]

function retained(): Scenario[] {
  const native = (world: World, payload: string) =>
    world.native.set('t', { payload: Buffer.from(payload), qos: 1, lastModified: world.now })
  const RETAIN_1 = { user_properties: [{ retain: '1' }] }
  return [
    publish(
      'retained, by topic',
      async (world) => ({
        events: [world.publishEvent('t', `${CANARY}1`)],
        rivals: { clear: { hook: 'message.publish', event: world.publishEvent('t', '') } },
      }),
      { rows: RETAIN_BY_TOPIC },
    ),
    publish(
      'cleared, by topic',
      async (world) => {
        await world.publish('t', `${CANARY}1`)
        const older = world.publishEvent('t', `${CANARY}2`)
        return { events: [world.publishEvent('t', '')], rivals: { 'an older one': { hook: 'message.publish', event: older } } }
      },
      { rows: RETAIN_BY_TOPIC },
    ),
    publish('retained, by property', async (world) => ({ events: [world.publishEvent('t', `${CANARY}1`, RETAIN_1)] })),
    publish('cleared, by property', async (world) => {
      await world.publish('t', `${CANARY}1`, RETAIN_1)
      return { events: [world.publishEvent('t', '', RETAIN_1)] }
    }),
    publish(
      'retained natively',
      async (world) => {
        native(world, `${CANARY}1`)
        return { events: [world.publishEvent('t', `${CANARY}1`)] }
      },
      {},
    ),
    publish(
      'cleared natively',
      async (world) => {
        native(world, `${CANARY}1`)
        await world.publish('t', `${CANARY}1`)
        world.native.delete('t')
        return { events: [world.publishEvent('t', '')] }
      },
      {},
    ),
    publish('empty natively, and nothing was retained', async (world) => ({ events: [world.publishEvent('t', '')] }), {}),
  ]
}

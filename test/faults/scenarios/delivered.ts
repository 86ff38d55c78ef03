/** What publishes request, at the function that delivers. */
import { rowsWith, type World } from '../../support/world.ts'
import { CANARY } from '../checks.ts'
import type { Scenario } from '../scenario.ts'
import { disconnectOf, publishMany, RETAIN_BY_PROPERTY } from './parts.ts'

const STORE = { hook: 'message.publish', topic: '#', action: 'on_message_store' } as const
const RECEIPT = { response_topic: 'replies', user_properties: [{ receipt: '1' }] }
const QOS_0 = { user_properties: [{ qos: '0' }] }

const delivered = (
  name: string,
  given: Scenario['given'],
  options: Scenario['options'] = { rows: RETAIN_BY_PROPERTY },
  more: Pick<Scenario, 'unqueued' | 'leaves'> = {},
): Scenario => ({ name: `delivered: ${name}`, hook: 'session.subscribed', options, given, ...more })

/** Publishes, and the requests, which are not delivered yet. */
async function requested(world: World, ...events: object[]): Promise<object[]> {
  world.holdsDeliveries = true
  for (const event of events) await world.handle('message.publish', event)
  world.holdsDeliveries = false
  return world.undelivered.splice(0).map(({ body }) => JSON.parse(body))
}

async function live(world: World, ...rows: readonly (readonly [clientid: string, filter: string])[]): Promise<void> {
  for (const [clientid, filter] of rows) await world.operatorSubscribes(clientid, filter)
  for (const [clientid] of rows) await world.connect(clientid, `s-${clientid}`)
  world.wait(120_000)
}

/** Durable subscribers of the topic. */
async function durable(world: World, topic: string, ...clients: readonly string[]): Promise<void> {
  for (const clientid of clients) {
    await world.connect(clientid, `s-${clientid}`)
    await world.subscribe(clientid, `s-${clientid}`, `durable/${topic}`)
  }
  world.wait(120_000)
}

export const DELIVERED: readonly Scenario[] = [
  delivered('a server-side subscriber is live: pushed and acknowledged', async (world) => {
    await live(world, ['s', 't'])
    return {
      events: await requested(world, world.publishEvent('t', `${CANARY}1`)),
      rivals: {
        publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}2`) },
        disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 's', 's-s') },
      },
    }
  }),
  delivered('two server-side subscribers, one by a wildcard', async (world) => {
    await live(world, ['s', 'a/t'], ['w', 'a/+'])
    return { events: await requested(world, world.publishEvent('a/t', `${CANARY}1`)) }
  }),
  delivered('a native client subscribed while it was being stored', async (world) => {
    await world.connect('n', 's1')
    const event = world.publishEvent('t', `${CANARY}1`)
    await world.subscribe('n', 's1', 't')
    world.wait(70_000)
    return { events: await requested(world, event) }
  }),
  delivered(
    'two durable subscribers compete',
    async (world) => {
      await durable(world, 't', 'c', 'd')
      return {
        events: await requested(world, ...[1, 2, 3].map((i) => world.publishEvent('t', `${CANARY}${i}`))),
        rivals: {
          publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}4`) },
          disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 'c', 's-c') },
        },
      }
    },
    { rows: RETAIN_BY_PROPERTY },
    { leaves: ['to either'] },
  ),
  delivered('several publishes of a topic in one batch', async (world) => {
    await live(world, ['s', 'b'])
    return { events: await requested(world, ...[1, 2, 3].map((i) => world.publishEvent('b', `${CANARY}${i}`))) }
  }),
  delivered('leaves it to the drainer that is catching up', async (world) => {
    await world.operatorSubscribes('s', 't')
    await publishMany(world, 't', 0, 3)
    await world.handle('client.connected', world.connectedEvent('s', 's1'))
    // Its drain was cut short before it began.
    await world.ports.topics.goLive('t', { clientid: 's', topic: 't', qos: 1, origin: 'operator' }, 's', {
      kind: 'server',
      session: 's1',
      since: 1,
      at: 1,
      catching: { by: 'other', until: world.now - 1 },
    })
    world.wait(120_000)
    const events = await requested(world, world.publishEvent('t', `${CANARY}3`))
    return { events, next: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}4`) } }
  }),
  delivered(
    'QoS 0, to server-side subscribers',
    async (world) => {
      await live(world, ['s', 'a/t'], ['w', 'a/+'])
      return { events: await requested(world, world.publishEvent('a/t', `${CANARY}1`, QOS_0)) }
    },
    { rows: RETAIN_BY_PROPERTY },
    { unqueued: true },
  ),
  delivered(
    'kept as history',
    async (world) => {
      await live(world, ['s', 't'])
      return { events: await requested(world, world.publishEvent('t', `${CANARY}1`)) }
    },
    { rows: rowsWith(STORE).filter(({ action }) => !/retain/.test(action)) },
  ),
  delivered(
    'a receipt for a durable subscriber, and one for the history',
    async (world) => {
      await durable(world, 't', 'c')
      await world.connect('publisher', 'p1')
      const away = { ...RECEIPT, clientid: 'away' }
      return {
        events: await requested(world, world.publishEvent('t', `${CANARY}1`, RECEIPT), world.publishEvent('t', `${CANARY}2`, away)),
      }
    },
    { rows: rowsWith(STORE).filter(({ action }) => !/retain/.test(action)) },
  ),
]

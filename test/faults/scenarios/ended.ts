/** session.unsubscribed, client.disconnected and message.acked: subscriptions that end, and messages that are taken off. */

import { HEAD_IDS, HEAD_LIVE } from '../../../lambda/core/model/topic-row.ts'
import { oldestFirst } from '../../../lambda/core/queue/pending.ts'
import { rowsWith, type World } from '../../support/world.ts'
import { CANARY } from '../checks.ts'
import type { Scenario } from '../scenario.ts'
import { crowd, payloads, publishMany, RETAIN_BY_PROPERTY } from './parts.ts'

type Hook = 'session.unsubscribed' | 'client.disconnected' | 'message.acked'
const NAMES: Readonly<Record<Hook, string>> = {
  'session.unsubscribed': 'unsubscribed',
  'client.disconnected': 'disconnected',
  'message.acked': 'acked',
}
const ending =
  (hook: Hook) =>
  (name: string, given: Scenario['given'], rows = RETAIN_BY_PROPERTY, more: Pick<Scenario, 'leaves'> = {}): Scenario => ({
    name: `${NAMES[hook]}: ${name}`,
    hook,
    options: { rows },
    given,
    ...more,
  })
const unsubscribed = ending('session.unsubscribed')
const disconnected = ending('client.disconnected')
const acked = ending('message.acked')

/** The client is live on the filters, and has got so many messages natively since. */
async function live(world: World, count: number, ...filters: string[]): Promise<string[]> {
  await world.connect('c', 's1')
  await world.subscribe('c', 's1', ...filters)
  world.wait(5_000)
  await publishMany(world, 't', 0, count, 100)
  world.wait(60_000)
  return payloads(0, count)
}

const LOST = 'MQTT_KEEP_ALIVE_TIMEOUT'

export const ENDED: readonly Scenario[] = [
  unsubscribed('nothing happened', async (world) => {
    await live(world, 0, 't')
    return { events: [world.unsubscribedEvent('c', 's1', 't')] }
  }),
  unsubscribed('what came natively is settled', async (world) => {
    const c = await live(world, 3, 't')
    await world.ports.acked.put('t', 'c', (await world.queue()).stored[0]!)
    const events = [world.unsubscribedEvent('c', 's1', 't')]
    return { events, had: { c }, rivals: { publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}9`) } } }
  }),
  unsubscribed('wildcard and exact at once', async (world) => {
    const c = await live(world, 1, 't', 'x/+')
    return { events: [world.unsubscribedEvent('c', 's1', 't', 'x/+')], had: { c } }
  }),
  unsubscribed('a spilled client', async (world) => {
    await crowd(world, HEAD_LIVE)
    const c = await live(world, 2, 't')
    return { events: [world.unsubscribedEvent('c', 's1', 't')], had: { c } }
  }),
  unsubscribed('it has subscribed again since', async (world) => {
    const c = await live(world, 2, 't')
    const events = [world.unsubscribedEvent('c', 's1', 't')]
    world.wait(5_000)
    const between = world.publishEvent('t', `${CANARY}between`)
    world.wait(5_000)
    await world.subscribe('c', 's1', 't')
    await world.handle('message.publish', between)
    return { events, had: { c } }
  }),
  unsubscribed('it came before its subscribe', async (world) => {
    await world.connect('c', 's1')
    const subscribe = world.subscribedEvent('c', 's1', 't')
    world.wait(2_000)
    return { events: [world.unsubscribedEvent('c', 's1', 't')], rivals: { subscribe: { hook: 'session.subscribed', event: subscribe } } }
  }),
  unsubscribed("from an operator's filter", async (world) => {
    await world.operatorSubscribes('c', 't')
    await world.connect('c', 's1')
    world.wait(5_000)
    return { events: [world.unsubscribedEvent('c', 's1', 't')] }
  }),
  disconnected('a client without subscriptions', async (world) => {
    await world.connect('c', 's1')
    const connect = world.lifecycle('c', 's2', { eventType: 'connected', versionNumber: 1, ipAddress: '10.0.0.1' })
    return {
      events: [world.disconnectedEvent('c', 's1')],
      rivals: { 'a newer connect': { hook: 'client.connected', event: { ...connect, timestamp: world.now + 1_000 } } },
    }
  }),
  disconnected('clean: settles head and segments', async (world) => {
    const c = await live(world, HEAD_IDS + 4, 't')
    const events = [world.disconnectedEvent('c', 's1')]
    return { events, had: { c }, rivals: { publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}9`) } } }
  }),
  disconnected('clean: several topics, wildcards, an operator’s row', async (world) => {
    await world.operatorSubscribes('c', 'op')
    await world.operatorSubscribes('c', 'op/+')
    const c = await live(world, 2, 't', 'u', 'x/+')
    return { events: [world.disconnectedEvent('c', 's1')], had: { c } }
  }),
  disconnected('lost: settles as GetConnection says', async (world) => {
    const c = await live(world, 3, 't', 'u')
    world.wait(600_000)
    return { events: [world.disconnectedEvent('c', 's1', 0, LOST)], had: { c } }
  }),
  disconnected(
    'lost: a member of a shared subscription',
    async (world) => {
      const c = await live(world, 2, '$share/g/t')
      world.wait(1_200_000)
      return { events: [world.disconnectedEvent('c', 's1')], had: { c } }
    },
    RETAIN_BY_PROPERTY,
    // A second try finds that the member left, and settles nothing.
    { leaves: ['unsettled'] },
  ),
  disconnected('a spilled client', async (world) => {
    await crowd(world, HEAD_LIVE)
    const c = await live(world, 2, 't')
    return { events: [world.disconnectedEvent('c', 's1')], had: { c } }
  }),
  disconnected('an old connection, and a newer one is live', async (world) => {
    await live(world, 0, 't')
    const event = world.disconnectedEvent('c', 's1')
    await world.connect('c', 's2', 1)
    await world.subscribe('c', 's2', 't')
    return { events: [event] }
  }),
  acked('one', async (world) => {
    const c = await live(world, 3, 't')
    const { stored } = await world.queue()
    const first = (await world.scan('mqtt_msg')).find(({ payload }) => payload?.S === `${CANARY}0`)!.msgid!.S!
    return {
      events: [world.ackEvent('c', { msgid: first, topic: 't' })],
      had: { c },
      rivals: { 'the ack of another': { hook: 'message.acked', event: world.ackEvent('c', stored.find((id) => id !== first)!) } },
    }
  }),
  acked('several, one of them twice, in head and segment', async (world) => {
    const c = await live(world, HEAD_IDS + 3, 't')
    const all = oldestFirst((await world.queue()).stored)
    const said = [all[0]!, all.at(-1)!].map((msgid) => ({ msgid, topic: 't' }))
    return { events: [world.ackEvent('c', said), world.ackEvent('c', all[0]!)], had: { c } }
  }),
  acked(
    'one that is history, too',
    async (world) => {
      const c = await live(world, 1, 't')
      return { events: [world.ackEvent('c', (await world.queue()).stored[0]!)], had: { c } }
    },
    rowsWith({ hook: 'message.publish', topic: '#', action: 'on_message_store' }).filter(({ action }) => !/retain/.test(action)),
  ),
  acked('one that is gone', async (world) => {
    await live(world, 1, 't')
    const [msgid] = (await world.queue()).stored
    await world.handle('message.acked', world.ackEvent('c', msgid!))
    return { events: [world.ackEvent('c', msgid!)], had: { c: payloads(0, 1) } }
  }),
]

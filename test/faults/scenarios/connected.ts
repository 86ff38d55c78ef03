/** client.connected and session.created: presence, older connections that are cleared, operators' rows that become live. */
import { HEAD_LIVE } from '../../../lambda/core/model/topic-row.ts'
import type { World } from '../../support/world.ts'
import { CANARY } from '../checks.ts'
import type { HookEvent, Scenario } from '../scenario.ts'
import { crowd, disconnectOf, publishMany, RETAIN_BY_PROPERTY, RETAIN_BY_TOPIC } from './parts.ts'

const connected = (name: string, given: Scenario['given']): Scenario => ({
  name: `connected: ${name}`,
  hook: 'client.connected',
  options: { rows: RETAIN_BY_PROPERTY },
  given,
})
const created = (name: string, given: Scenario['given'], rows = RETAIN_BY_PROPERTY): Scenario => ({
  name: `created: ${name}`,
  hook: 'session.created',
  options: { rows },
  given,
})

/** Its client.connected is handled, its session.created is what the scenario is about. */
async function connecting(
  world: World,
  clientid = 's',
): Promise<{ readonly events: readonly object[]; readonly rivals: Record<string, HookEvent> }> {
  const event = world.connectedEvent(clientid, 's1')
  await world.handle('client.connected', event)
  world.wait(2_000)
  return { events: [event], rivals: { disconnect: { hook: 'client.disconnected', event: disconnectOf(world, clientid, 's1') } } }
}

export const CONNECTED: readonly Scenario[] = [
  connected('a client that was never there', async (world) => {
    const events = [world.connectedEvent('c', 's1')]
    world.wait(2_000)
    return { events, rivals: { disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 'c', 's1') } } }
  }),
  connected('its disconnect came first', async (world) => {
    const event = world.connectedEvent('c', 's1')
    world.wait(2_000)
    await world.disconnect('c', 's1')
    return { events: [event] }
  }),
  connected('older connections left it live, exact, wildcard and spilled', async (world) => {
    await crowd(world, HEAD_LIVE)
    await publishMany(world, 't', 0, 2)
    await world.operatorSubscribes('c', 'op')
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't', 'a', 'x/+')
    await publishMany(world, 'a', 2, 4)
    world.wait(5_000)
    return { events: [world.connectedEvent('c', 's2', 1)], had: { c: [`${CANARY}2`, `${CANARY}3`] } }
  }),
  created('no operator knows it', async (world) => ({ events: (await connecting(world)).events })),
  created("an operator's row, and a backlog", async (world) => {
    await world.operatorSubscribes('s', 't')
    await publishMany(world, 't', 0, 3)
    const given = await connecting(world)
    const publish: HookEvent = { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}9`) }
    const native: HookEvent = { hook: 'session.subscribed', event: world.subscribedEvent('s', 's1', 't') }
    return { ...given, rivals: { ...given.rivals, publish, 'its own subscription': native } }
  }),
  created('rows of every kind: exact, wildcard, QoS 0, shared', async (world) => {
    for (const topic of ['t', 'x/+', '$share/g/u']) await world.operatorSubscribes('s', topic)
    await world.operatorSubscribes('s', 'z', 0)
    for (const [i, topic] of ['t', 'u', 'z'].entries()) await publishMany(world, topic, 2 * i, 2 * i + 2)
    return connecting(world)
  }),
  created('the head has no room: it is live in a spill row', async (world) => {
    await crowd(world, HEAD_LIVE)
    await world.operatorSubscribes('s', 't')
    const early = world.now - 200_000
    for (const i of [0, 1]) await world.handle('message.publish', world.publishEvent('t', `${CANARY}${i}`, { timestamp: early + i }))
    const given = await connecting(world)
    return { ...given, rivals: { ...given.rivals, publish: { hook: 'message.publish', event: world.publishEvent('t', `${CANARY}9`) } } }
  }),
  created(
    'retained messages follow',
    async (world) => {
      for (const topic of ['t', 'r/1', 'r/2']) await world.publish(topic, `${CANARY}${topic}`)
      for (const topic of ['t', 'r/+']) await world.operatorSubscribes('s', topic)
      return { events: (await connecting(world)).events }
    },
    RETAIN_BY_TOPIC,
  ),
  created('its connection is over already', async (world) => {
    await world.operatorSubscribes('s', 't')
    await publishMany(world, 't', 0, 2)
    const { events } = await connecting(world)
    await world.disconnect('s', 's1')
    return { events }
  }),
  created('it has unsubscribed from the row', async (world) => {
    await world.operatorSubscribes('s', 't')
    await publishMany(world, 't', 0, 2)
    const { events } = await connecting(world)
    await world.unsubscribe('s', 's1', 't')
    return { events }
  }),
  created('an older session is still live', async (world) => {
    await world.operatorSubscribes('s', 't')
    await world.connect('s', 's0')
    world.wait(5_000)
    await publishMany(world, 't', 0, 2)
    const event = world.connectedEvent('s', 's1', 1)
    await world.handle('client.connected', event)
    return { events: [event] }
  }),
]

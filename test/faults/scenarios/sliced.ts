/** Deliveries to a client that acknowledges slowly: each lets go of its invocation after a time slice, and goes on by a request. */
import type { World } from '../../support/world.ts'
import { type Given, type Scenario, SLOW } from '../scenario.ts'
import { disconnectOf, publishMany, RETAIN_BY_PROPERTY } from './parts.ts'

const MESSAGES = 5

const sliced = (name: string, given: Scenario['given'], more: Pick<Scenario, 'leaves'> = {}): Scenario => ({
  name: `sliced: ${name}`,
  hook: 'session.subscribed',
  options: { rows: RETAIN_BY_PROPERTY },
  slow: ['c'],
  given,
  ...more,
})

async function subscribing(world: World, filter: string): Promise<Given> {
  await world.connect('c', 's1')
  const events = [world.subscribedEvent('c', 's1', filter)]
  world.wait(3_000)
  return { events, rivals: { disconnect: { hook: 'client.disconnected', event: disconnectOf(world, 'c', 's1') } } }
}

/** What an invocation that has let go requests. */
async function leftOver(world: World, filter: string): Promise<Given> {
  const { events, ...given } = await subscribing(world, filter)
  world.whenSent('c', undefined, async () => world.wait(SLOW))
  await world.handle('session.subscribed', ...events)
  return { ...given, events: world.undelivered.splice(0).map(({ body }) => JSON.parse(body)) }
}

export const SLICED: readonly Scenario[] = [
  sliced('a native subscriber', async (world) => {
    await publishMany(world, 't', 0, MESSAGES)
    world.wait(60_000)
    return subscribing(world, 't')
  }),
  sliced('a durable subscriber', async (world) => {
    await publishMany(world, 't', 0, MESSAGES)
    return subscribing(world, 'durable/t')
  }),
  sliced('what a slice has left of a queue', async (world) => {
    await publishMany(world, 't', 0, MESSAGES)
    world.wait(60_000)
    return leftOver(world, 't')
  }),
  sliced('what a slice has left of a dispatch', async (world) => {
    await publishMany(world, 't', 0, MESSAGES)
    return leftOver(world, 'durable/t')
  }),
  sliced(
    'an operator’s row, to which messages are pushed',
    async (world) => {
      await world.operatorSubscribes('c', 't')
      await world.connect('c', 's1')
      world.wait(120_000)
      world.holdsDeliveries = true
      await publishMany(world, 't', 0, MESSAGES)
      world.holdsDeliveries = false
      return { events: world.undelivered.splice(0).map(({ body }) => JSON.parse(body)) }
    },
    // The lease of an event that dies for good, with nothing left on the queue, ends with its time.
    { leaves: ['again'] },
  ),
]

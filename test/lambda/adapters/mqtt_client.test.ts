/** `mqtt_client`: the conditions that DynamoDB judges say what core/model/presence.ts says. */
import fc from 'fast-check'
import { clientTable } from '../../../lambda/adapters/tables/mqtt_client.ts'
import type { Connected, Disconnected } from '../../../lambda/core/events/lifecycle-events.ts'
import type { ClientTable } from '../../../lambda/core/model/ports.ts'
import { isNewer, sameConnection, VERSION_HORIZON } from '../../../lambda/core/model/presence.ts'
import { createTables, forEachEngine, type Tables } from '../../support/engines.ts'
import { permutations, permutationsWithRepeat } from '../../support/orders.ts'
import { eventsOf, TIMELINES, truthOf } from '../../support/presence-timelines.ts'

forEachEngine((engine) => {
  const embedded = engine.name === 'embedded'
  let tables: Tables
  let clients: ClientTable
  let count = 0
  beforeAll(async () => {
    tables = await createTables(engine)
    const clock = { now: () => 0, sleep: async () => {} }
    clients = clientTable({ client: engine.client, clock, tables }, 'aws-iot@us-west-2')
  })

  const apply = ({ kind, event }: ReturnType<typeof eventsOf>[number], clientid: string) =>
    kind === 'connected' ? clients.connected({ ...event, clientid }) : clients.disconnected({ ...event, clientid })

  it.each(TIMELINES)('I6: %s, in every order', async (_name, stays) => {
    const events = eventsOf('', stays)
    const orders = events.length <= 3 ? permutationsWithRepeat(events) : permutations(events)
    const every = Math.ceil(orders.length / (embedded ? 24 : 4))
    const ends = await Promise.all(
      orders
        .filter((_, i) => i % every === 0)
        .map(async (order) => {
          const clientid = `c${count++}`
          for (const event of order) await apply(event, clientid)
          return { clientid, row: await clients.presence(clientid) }
        }),
    )
    for (const { clientid, row } of ends) expect(row).toEqual({ clientid, ...truthOf(stays) })
  })

  const NEAR_HORIZON = [0, 1, -1, VERSION_HORIZON, VERSION_HORIZON + 1, -VERSION_HORIZON, -VERSION_HORIZON - 1, 5 * VERSION_HORIZON]
  const START = 1_800_000_000_000
  const connection = fc.record({
    session: fc.constantFrom('s1', 's2'),
    version: fc.integer({ min: 0, max: 3 }),
    at: fc.constantFrom(...NEAR_HORIZON).map((delta) => START + delta),
  })

  it('I6: the condition holds exactly where isNewer does, or for a disconnect on its own connection', async () => {
    await fc.assert(
      fc.asyncProperty(connection, connection, fc.boolean(), async (before, after, disconnects) => {
        const clientid = `c${count++}`
        const first: Connected = { ...before, clientid }
        await clients.connected(first)
        const row = (await clients.presence(clientid))!
        const second: Disconnected = { ...after, clientid, reason: 'R', clean: false }
        await (disconnects ? clients.disconnected(second) : clients.connected(second))
        const changed = JSON.stringify(await clients.presence(clientid)) !== JSON.stringify(row)
        const same = sameConnection(row, after)
        // A connected event of the row's own connection is a repetition: its time is the row's.
        fc.pre(!(same && !disconnects && after.at !== before.at))
        expect(changed).toBe(same ? disconnects : isNewer(after, row))
      }),
      { numRuns: embedded ? 200 : 40 },
    )
  })

  it('of an unknown client there is no presence', async () => {
    expect(await clients.presence('nobody')).toBeUndefined()
  })
})

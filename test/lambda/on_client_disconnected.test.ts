/** client.disconnected: the client is offline. Orders of events: presence.test.ts, mqtt_client-exhaustive.test.ts, stale-events.test.ts. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { attributesOf, World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  const PRESENCE = ['clientid', 'node', 'connect_state', 'online_at', 'offline_at']

  it('on_client_disconnected turns it offline, since when it was online stays', async () => {
    await world.connect('c', 's1', 3)
    world.wait(5_000)
    await world.disconnect('c', 's1', 3, 'CONNECTION_LOST')
    const row = await world.row('mqtt_client', 'c')
    expect(attributesOf(row, ...PRESENCE)).toEqual({
      clientid: { S: 'c' },
      node: { S: 'aws-iot@us-west-2' },
      connect_state: { N: '0' },
      online_at: { N: '1800000000' },
      offline_at: { N: '1800000005' },
    })
    expect(attributesOf(row, 'disconnect_reason', 'event_at')).toEqual({
      disconnect_reason: { S: 'CONNECTION_LOST' },
      event_at: { N: '1800000005001' },
    })
  })
})

/** client.connected: the client is online. Orders of events: presence.test.ts, mqtt_client-exhaustive.test.ts, stale-events.test.ts. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { attributesOf, World } from '../support/world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })
  const PRESENCE = ['clientid', 'node', 'connect_state', 'online_at', 'offline_at']

  it("on_client_connected writes the page's row: online, offline_at 0, seconds", async () => {
    await world.connect('mqttjs_384b9c73a9', 's1', 3)
    const row = await world.row('mqtt_client', 'mqttjs_384b9c73a9')
    expect(attributesOf(row, ...PRESENCE)).toEqual({
      clientid: { S: 'mqttjs_384b9c73a9' },
      node: { S: 'aws-iot@us-west-2' },
      connect_state: { N: '1' },
      online_at: { N: '1800000000' },
      offline_at: { N: '0' },
    })
    const { session, version, event_at, connected_at, ip, ...others } = row!
    expect({ session, version, event_at, connected_at, ip }).toEqual({
      session: { S: 's1' },
      version: { N: '3' },
      event_at: { N: '1800000000000' },
      connected_at: { N: '1800000000000' },
      ip: { S: '10.0.0.1' },
    })
    expect(Object.keys(others).sort()).toEqual([...PRESENCE].sort())
  })
})

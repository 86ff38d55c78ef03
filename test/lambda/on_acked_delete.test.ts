/** session.unsubscribed: the last acknowledgement of the client on the topic is forgotten. CONTRIBUTING.md shows this suite. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  it('forgets it, and not what was acknowledged after it (I4)', async () => {
    const world = new World(engine, await createTables(engine))
    await world.publish('t', 'm0')
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    const unsubscribed = world.unsubscribedEvent('c', 's1', 't')
    await world.handle('session.unsubscribed', unsubscribed)
    expect(await world.row('mqtt_acked', 't', 'c')).toBeUndefined()

    await world.publish('t', 'm1')
    await world.subscribe('c', 's1', 't')
    await world.handle('session.unsubscribed', unsubscribed) // comes once more, late
    expect(await world.row('mqtt_acked', 't', 'c')).toBeDefined()
  })
})

import { createTables, forEachEngine } from '../engines.ts'
import { World } from '../world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  it('keeps messages for a subscriber that comes later, oldest first, and forgets them once acknowledged', async () => {
    for (let i = 0; i < 40; i++) await world.publish('t', `m${i}`)
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(Array.from({ length: 40 }, (_, i) => `m${i}`))
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    expect(await world.scan('mqtt_acked')).toHaveLength(1)
  })

  it('delivers to a server-side subscriber, queue first, then live', async () => {
    await world.operatorSubscribes('c', 't')
    for (let i = 0; i < 3; i++) await world.publish('t', `m${i}`)
    await world.connect('c', 's1')
    await world.publish('t', 'm3')
    expect(world.device('c').got).toEqual(['m0', 'm1', 'm2', 'm3'])
    expect(await world.queue()).toEqual({ named: [], stored: [] })
  })

  it('settles what was delivered natively between subscribe and disconnect', async () => {
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    world.wait(5_000)
    await world.publish('t', 'live')
    expect(world.device('c').got).toEqual([])
    expect((await world.queue()).stored).toHaveLength(1)
    world.wait(5_000)
    await world.disconnect('c', 's1')
    expect(await world.queue()).toEqual({ named: [], stored: [] })
    expect(await world.scan('mqtt_sub')).toEqual([])
  })
})

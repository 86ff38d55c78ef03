/** message.publish in batches: one topic's messages share one update, and no event spoils another's. */
import { createTables, forEachEngine } from '../engines.ts'
import { World } from '../world.ts'

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  it('I4: the same event twice in one batch is stored and named once', async () => {
    const event = world.publishEvent('t', 'x')
    await world.handle('message.publish', event, event)
    expect((await world.queue()).named).toHaveLength(1)
    await world.handle('message.publish', event, world.publishEvent('t', 'y'), event)
    const { named, stored } = await world.queue()
    expect(named).toHaveLength(2)
    expect(stored).toEqual(named)
  })

  it('a batch arrives oldest first, whatever its order', async () => {
    await world.operatorSubscribes('c', 't')
    await world.connect('c', 's1')
    const events = ['m0', 'm1', 'm2', 'm3'].map((payload) => world.publishEvent('t', payload))
    await world.handle('message.publish', ...[2, 0, 3, 1].map((i) => events[i]))
    expect(world.device('c').got).toEqual(['m0', 'm1', 'm2', 'm3'])
  })

  it('one topic costs a batch of ten one update of its row', async () => {
    const events = Array.from({ length: 10 }, (_, i) => world.publishEvent('t', `m${i}`))
    await world.handle('message.publish', ...events)
    expect(world.calls.filter(({ call }) => call === 'mqtt_topic_msg_map:UpdateItem')).toHaveLength(1)
    expect((await world.queue()).named).toHaveLength(10)
  })
})

/** message.publish: a message is kept as history, whatever becomes of the queue. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { rowsWith, rowsWithout, World, type WorldOptions } from '../support/world.ts'

forEachEngine((engine) => {
  const given = async (options?: WorldOptions) => new World(engine, await createTables(engine), options)
  const HISTORY = { hook: 'message.publish', topic: '#', action: 'on_message_store' } as const
  const payloads = Array.from({ length: 20 }, (_, i) => `m${i}`)

  it('with on_message_store an acknowledged message stays as history, off the queue', async () => {
    const world = await given({ rows: rowsWith(HISTORY) })
    for (const payload of payloads) await world.publish('t', payload)
    await world.connect('c', 's1')
    await world.subscribe('c', 's1', 't')
    expect(world.device('c').got).toEqual(payloads)
    const { named, stored } = await world.queue()
    expect([named.length, stored.length]).toEqual([0, 20])
  })

  it('on_message_store alone keeps QoS 0 too, and queues nothing', async () => {
    const world = await given({ rows: [...rowsWithout('on_message_publish'), HISTORY] })
    await world.publish('t', 'x', { user_properties: [{ qos: '0' }] })
    await world.publish('t', 'y')
    const { named, stored } = await world.queue()
    expect([named.length, stored.length]).toEqual([0, 2])
  })
})

/**
 * I7: what a publish costs does not depend on what is queued, on other topics, or on who was ever subscribed.
 *
 * @slow
 */
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

forEachEngine((engine) => {
  const deep = engine.name === 'local' ? 2_000 : 400
  const PAYLOAD = 'x'.repeat(100)

  /** Publishes `count` messages one by one; what each costs on average. */
  const publishing = async (world: World, count: number) => {
    const before = world.calls.length
    for (let i = 0; i < count; i++) await world.publish('t', PAYLOAD)
    const calls = world.calls.slice(before)
    return { writeUnits: calls.reduce((sum, { writeUnits }) => sum + writeUnits, 0) / count, requests: calls.length / count }
  }
  const fill = async (world: World, count: number) => {
    for (let i = 0; i < count; i += 100) {
      const batches = Array.from({ length: 10 }, () => Array.from({ length: 10 }, () => world.publishEvent('t', PAYLOAD)))
      for (const batch of batches) await world.handle('message.publish', ...batch)
    }
  }
  // Whole rounds of sealing, so that each average has its share of it.
  const ROUND = 64

  it(`I7: write units and requests of a publish are the same at depth 10 and ${deep}`, async () => {
    const world = new World(engine, await createTables(engine))
    const shallow = await publishing(world, ROUND)
    await fill(world, deep)
    const full = await publishing(world, ROUND)
    expect(shallow.writeUnits).toBeLessThanOrEqual(2.3)
    expect(Math.abs(full.writeUnits / shallow.writeUnits - 1)).toBeLessThan(0.05)
    expect(Math.abs(full.requests / shallow.requests - 1)).toBeLessThan(0.05)
    expect(full.requests).toBeLessThan(5)
  }, 120_000)

  it('I7: nor do they grow with who was subscribed, with other topics, or with clients that are spilled', async () => {
    const world = new World(engine, await createTables(engine))
    const before = await publishing(world, ROUND)
    for (let i = 0; i < 12; i++) {
      await world.connect(`c${i}`, 's1')
      await world.subscribe(`c${i}`, 's1', 't', `other/${i}`)
      if (i % 2 === 0) await world.disconnect(`c${i}`, 's1')
    }
    world.wait(10_000)
    // Four ids of clients in the head, which cost what they weigh; the proof that settles in mid-window is asked for once in ten seconds.
    const after = await publishing(world, ROUND)
    expect(after.writeUnits).toBeLessThanOrEqual(2.4)
    expect(after.writeUnits).toBeLessThanOrEqual(before.writeUnits + 1)
  }, 60_000)
})

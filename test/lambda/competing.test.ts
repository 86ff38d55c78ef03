/** Competing consumers of which one never acknowledges (I15). On the test's clock a direct message to it takes a confirmation timeout. */
import { setImmediate } from 'node:timers/promises'
import { CONFIRMATION_TIMEOUT } from '../../lambda/adapters/data-plane.ts'
import { createTables, type Engine } from '../support/engines.ts'
import { mapsClient } from '../support/maps-engine.ts'
import { World } from '../support/world.ts'

const TIMEOUT = CONFIRMATION_TIMEOUT * 1_000
/** From a direct message to its PUBACK, of who acknowledges. Milliseconds. */
const PUBACK = 20
const CONSUMERS = 10
const MUTE = 'c4'
/** So often the handlers may go on before the clock does. */
const QUIET = 200

// Over HTTP the clock would have to wait for the engine.
const ENGINE: Engine = { name: 'maps', url: '', client: mapsClient() }

/** A world whose time passes while somebody is waited for, and only then. */
async function timedWorld() {
  const world = new World(ENGINE, await createTables(ENGINE))
  const timers: { at: number; ring: () => void }[] = []
  const passes = (ms: number) => new Promise<void>((ring) => timers.push({ at: world.now + ms, ring }))
  const got: { payload: string; by: string; at: number }[] = []
  jest.spyOn(world.ports.device, 'send').mockImplementation(async (by, message) => {
    await passes(by === MUTE ? TIMEOUT : PUBACK)
    if (by === MUTE) return 'silent'
    got.push({ payload: message.payload.toString(), by, at: world.now })
    return 'acked'
  })
  async function run(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = work.finally(() => {
      isDone = true
    })
    done.catch(() => {})
    for (;;) {
      for (let i = 0; i < QUIET && !isDone; i++) await setImmediate()
      if (isDone) return void (await done)
      const next = timers.sort((a, b) => a.at - b.at).shift()
      if (next === undefined) throw new Error('nobody is waited for, and the handler does not end')
      world.now = Math.max(world.now, next.at)
      next.ring()
    }
  }
  for (let i = 0; i < CONSUMERS; i++) {
    await run(world.connect(`c${i}`, `s${i}`))
    await run(world.subscribe(`c${i}`, `s${i}`, 'durable/t'))
  }
  world.holdsDeliveries = true
  return { world, got, run }
}

it('nine get everything, and nobody waits longer than one confirmation timeout behind the tenth', async () => {
  const { world, got, run } = await timedWorld()
  const sent = Array.from({ length: 180 }, (_, i) => `m${i}`)
  for (const payload of sent) await run(world.publish('t', payload))
  const began = world.now
  await run(world.redeliver())
  expect(got.map(({ payload }) => payload).sort()).toEqual([...sent].sort())
  expect(new Set(got.map(({ by }) => by)).size).toBe(CONSUMERS - 1)
  // What the silent one held goes to the next one; the others have not waited for it.
  const late = got.filter(({ at }) => at - began >= TIMEOUT)
  expect(late).toHaveLength(1)
  expect(late[0]!.at - began).toBeLessThanOrEqual(TIMEOUT + 2 * PUBACK)
  const others = got.filter((one) => one !== late[0])
  expect(Math.max(...others.map(({ at }) => at)) - began).toBeLessThanOrEqual((2 * sent.length * PUBACK) / (CONSUMERS - 1))
  expect(await world.queue()).toEqual({ named: [], stored: [] })
})

it('a live message whose turn is the silent one’s goes to the next after one confirmation timeout', async () => {
  const { world, got, run } = await timedWorld()
  for (let i = 0; i < 2 * CONSUMERS; i++) {
    await run(world.publish('t', `m${i}`))
    const began = world.now
    await run(world.redeliver())
    expect(got.at(-1)).toMatchObject({ payload: `m${i}` })
    expect(world.now - began).toBeLessThanOrEqual(TIMEOUT + 2 * PUBACK)
  }
  expect(got).toHaveLength(2 * CONSUMERS)
})

/**
 * What topics kept for many cost: a publish whoever is away (I7), a copy that is delivered later, a live copy.
 *
 * @slow
 */
import { createTables, forEachEngine, itBilled } from '../support/engines.ts'
import { PAGE_ROWS, type Row, World } from '../support/world.ts'

const ROWS: readonly Row[] = [
  ...PAGE_ROWS.filter(({ action }) => !/retain|for_queue/.test(action)),
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]
const PAYLOAD = 'x'.repeat(100)
const BACKLOG = 320

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine), { rows: ROWS, expiredAfter: 86_400 })
  })

  /** Units of the calls that the act makes, of all hooks or of one. */
  const unitsOf = async (act: () => Promise<void>, hook?: string) => {
    const before = world.calls.length
    await act()
    const calls = world.calls.slice(before).filter((call) => hook === undefined || call.hook === hook)
    return {
      write: calls.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
      read: calls.reduce((sum, { readUnits }) => sum + readUnits, 0),
    }
  }
  const publish = async (count: number) => {
    for (let i = 0; i < count; i++) await world.publish('t', PAYLOAD)
  }
  const come = async (c: string, n: number) => {
    await world.connect(c, `${c}${n}`, n)
    await world.subscribe(c, `${c}${n}`, 'durable/t')
    world.wait(2_000)
  }
  const ROUND = 64

  itBilled(engine)(
    'I7: a publish writes the same with none and with 20 subscribers that are away',
    async () => {
      const none = await unitsOf(() => publish(ROUND))
      for (let i = 0; i < 20; i++) {
        await come(`c${i}`, 1)
        await world.disconnect(`c${i}`, `c${i}1`, 1)
      }
      const away = await unitsOf(() => publish(ROUND))
      expect(none.write / ROUND).toBeLessThanOrEqual(2.3)
      expect(Math.abs(away.write / none.write - 1)).toBeLessThan(0.02)
    },
    120_000,
  )

  itBilled(engine)(
    'a copy of a backlog that is delivered later: at most 0.2 write units and 1.1 read units',
    async () => {
      await come('c', 1)
      await world.disconnect('c', 'c1', 1)
      await publish(BACKLOG)
      const later = await unitsOf(() => come('c', 2), 'session.subscribed')
      expect(world.device('c').got).toHaveLength(BACKLOG)
      expect(later.write / BACKLOG).toBeLessThanOrEqual(0.2)
      expect(later.read / BACKLOG).toBeLessThanOrEqual(1.1)
    },
    120_000,
  )

  itBilled(engine)(
    'a live copy: at most 1.1 write units beyond the publish when it comes alone, 0.25 in batches of ten',
    async () => {
      const alone = (await unitsOf(() => publish(ROUND))).write
      await come('c', 1)
      const live = (await unitsOf(() => publish(ROUND))).write
      expect((live - alone) / ROUND).toBeLessThanOrEqual(1.1)
      const batch = () => Array.from({ length: 10 }, () => world.publishEvent('t', PAYLOAD))
      const batches = await unitsOf(async () => {
        for (let i = 0; i < 16; i++) await world.handle('message.publish', ...batch())
      }, 'session.subscribed')
      expect(batches.write / 160).toBeLessThanOrEqual(0.25)
    },
    120_000,
  )
})

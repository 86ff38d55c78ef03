/**
 * The calculator's units are those that the handlers use: measured again here.
 *
 * @slow
 */
import { median } from '../../bench/interleaved.ts'
import { RESULTS_FILE, readResults } from '../../bench/results.ts'
import { mapWrites } from '../../cli/costs/emqx-pattern.ts'
import { CONNECTION, DELIVERED, DURABLE, OPERATOR, PUBLISH, RETAINED, ROW_BYTES, SETTLED } from '../../cli/costs/measured-units.ts'
import { createTables, forEachEngine } from '../support/engines.ts'
import { World } from '../support/world.ts'

const TOPIC = 'plant/1/state'
/** Whole rounds of sealing. */
const COUNT = 64

interface Spent {
  writes: number
  reads: number
}

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine))
  })

  const spentOn = async (work: () => Promise<unknown>): Promise<Spent> => {
    const from = world.calls.length
    await work()
    const calls = world.calls.slice(from)
    const sum = (units: 'writeUnits' | 'readUnits') => calls.reduce((all, call) => all + call[units], 0)
    return { writes: sum('writeUnits'), reads: sum('readUnits') }
  }
  const publish = async (bytes: number, count = COUNT) => {
    for (let i = 0; i < count; i++) {
      await world.publish(TOPIC, 'x'.repeat(bytes))
      world.wait(20)
    }
  }
  const session = async (version: number, meanwhile: () => Promise<unknown> = async () => undefined) => {
    await world.connect('c', `s${version}`, version)
    await world.subscribe('c', `s${version}`, TOPIC)
    world.wait(5_000)
    await meanwhile()
    // Longer than a client may take to acknowledge (`settle`): what is younger is not settled.
    world.wait(15_000)
    await world.disconnect('c', `s${version}`, version)
  }
  /** Of one message, beside its own row. */
  const each = (spent: Spent, base: Spent, rows: number): Spent => ({
    writes: Math.round(((spent.writes - base.writes) / COUNT - rows) * 100) / 100 + 0,
    reads: Math.round(((spent.reads - base.reads) / COUNT) * 100) / 100 + 0,
  })
  const NOTHING = { writes: 0, reads: 0 }

  it.each(
    [
      [100, 1],
      [1500, 2],
    ].slice(0, engine.name === 'local' ? 1 : 2) as [number, number][],
  )(
    'a message of %d bytes: published, delivered or settled',
    async (bytes, rows) => {
      await publish(bytes, 16)
      await session(0)
      const publishing = await spentOn(() => publish(bytes))
      const delivering = await spentOn(() => session(1))
      const CONNECTING = await spentOn(() => session(2))
      const settling = await spentOn(() => session(3, () => publish(bytes)))
      const before = { writes: CONNECTING.writes + publishing.writes, reads: CONNECTING.reads + publishing.reads }
      const measured = {
        PUBLISH: each(publishing, NOTHING, rows),
        DELIVERED: each(delivering, CONNECTING, rows),
        SETTLED: each(settling, before, rows),
        CONNECTION: CONNECTING,
      }
      expect(measured).toEqual({ PUBLISH, DELIVERED, SETTLED, CONNECTION })
      expect(await world.queue()).toEqual({ named: [], stored: [] })
    },
    60_000,
  )

  const pushedSession = async (
    kind: 'durable' | 'operator',
    version: number,
    meanwhile: () => Promise<unknown> = async () => undefined,
  ) => {
    await world.connect('c', `s${version}`, version)
    if (kind === 'durable') await world.subscribe('c', `s${version}`, `durable/${TOPIC}`)
    // Longer than the data plane may not know the client.
    world.wait(120_000)
    await meanwhile()
    world.wait(20_000)
    await world.disconnect('c', `s${version}`, version)
  }

  it.each([
    ['durable', 100, 1, DURABLE],
    ['operator', 100, 1, OPERATOR],
    ['durable', 5_000, 5, DURABLE],
    ['operator', 5_000, 5, OPERATOR],
  ] as const)(
    'a live message to a subscriber of the kind %s, %d bytes: requested, sent, acknowledged',
    async (kind, bytes, rows, wanted) => {
      if (kind === 'operator') await world.operatorSubscribes('c', TOPIC)
      await publish(bytes, 16)
      const publishing = await spentOn(() => publish(bytes))
      await pushedSession(kind, 0)
      const connection = await spentOn(() => pushedSession(kind, 1))
      const pushing = await spentOn(() => pushedSession(kind, 2, () => publish(bytes)))
      const before = { writes: connection.writes + publishing.writes, reads: connection.reads + publishing.reads }
      const { writes, reads } = each(pushing, before, rows)
      const more = bytes > 4096 ? wanted.rowReads : 0
      expect({ connection, live: { writes, reads: reads - more } }).toEqual({ connection: wanted.connection, live: wanted.live })
      expect(await world.queue()).toEqual({ named: [], stored: [] })
    },
    60_000,
  )

  it('a retained message is two rows more: its own, and once more the message that says so', async () => {
    const retain = async (count: number) => {
      for (let i = 0; i < count; i++) {
        world.native.set(TOPIC, { payload: Buffer.from('x'), qos: 1, lastModified: world.now })
        await publish(1, 1)
      }
    }
    await retain(16)
    const published = await spentOn(() => retain(COUNT))
    const plain = { writes: COUNT * (PUBLISH.writes + 1), reads: COUNT * PUBLISH.reads }
    expect(each(published, plain, 2)).toEqual(RETAINED)
  }, 60_000)

  it('a row becomes a unit more where the calculator says so', async () => {
    // A number is billed by its digits: a time without zeros at its end.
    world.wait(12_345_678_901)
    const room = 1024 - ROW_BYTES - TOPIC.length - 'publisher'.length
    const rowOf = async (bytes: number) => {
      const put = world.calls.length
      await publish(bytes, 1)
      return world.calls.slice(put).find(({ call }) => call === 'mqtt_msg:PutItem')?.writeUnits
    }
    expect([await rowOf(room), await rowOf(room + 1)]).toEqual([1, 2])
  })
})

describe('the bench (bench/results.json)', () => {
  const figures = Object.values(readResults(RESULTS_FILE).blocks).flatMap((block) => block.figures)
  const measured = (name: string): number => figures.find((figure) => figure.name === name)!.value

  it('measured the units of a publish that the calculator takes', () => {
    expect(measured('write units per publish, 100 B, 10 queued')).toBeCloseTo(PUBLISH.writes + 1, 2)
    expect(measured('read units per publish, 100 B, 10 queued')).toBe(PUBLISH.reads)
  })

  it("measured EMQX's pattern as the formula has it: a Put, and an ADD that is billed for the whole set", () => {
    const rounds = [0, 4].map((from) => [1, 2, 3, 4].map((i) => mapWrites(1_000 + from + i, 'original/bench/1000/100'.length)))
    const means = rounds.map((adds) => adds.reduce((sum, units) => sum + units) / adds.length)
    expect(measured("EMQX's pattern, write units, 100 B, 1,000 queued")).toBeCloseTo(1 + median(means), 10)
  })
})

/** The model of mqtt-dynamodb scale, against examples that were worked out by hand, and docs/scale.md against the model. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULTS as COSTS, MONTH_MINUTES } from '../../cli/costs/costs-workload.ts'
import { PUBLISH } from '../../cli/costs/measured-units.ts'
import { ours } from '../../cli/costs/ours.ts'
import { breaksAt, type LimitName, limitsOf } from '../../cli/scale/limits.ts'
import { replay } from '../../cli/scale/publish-replay.ts'
import { QUOTAS, type Quota } from '../../cli/scale/quotas.ts'
import { scaleOf } from '../../cli/scale/scale-report.ts'
import { asTable, CASES, caseOf } from '../../cli/scale/scale-table.ts'
import { DEFAULTS, type ScaleWorkload, topicShares } from '../../cli/scale/scale-workload.ts'
import { flags, workloadOf } from '../../cli/scale.ts'
import { here, read } from '../support/run-program.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const workload = (more: Partial<ScaleWorkload> = {}): ScaleWorkload => ({ ...DEFAULTS, publishes: 1_000, ...more })
/** Topics so many that no two events of a batch share one. */
const EVEN = { topics: 1e9, zipf: 0 }
const ONE_TOPIC = { topics: 1, retain: 'property' } as const
const rate = (name: LimitName, more: Partial<ScaleWorkload>) => breaksAt(limitsOf(workload(more))[name])

describe('breaks at, publishes a second', () => {
  it.each([
    ['the retained check: 500 requests', 'retained', EVEN, 500],
    ['none without it', 'retained', { retain: 'property' }, undefined],
    ['a rule and a subscriber are two outbound publishes of 20,000', 'outbound', {}, 10_000],
    ['a rule and three subscribers, half of them gone: 2.5', 'outbound', { subscribers: 3, offline: 0.5 }, 8_000],
    ['a message is put and deleted: 4,000 write units, 2,000 messages', 'newMessages', {}, 2_000],
    ['of 2,000 B, three units: 667', 'newMessages', { payload: 2_000 }, 4_000 / 6],
    ['a table of 40,000', 'messages', {}, 20_000],
    ['one topic, one event an invocation: 1,000 units', 'hotTopic', ONE_TOPIC, 1_000 / PUBLISH.writes],
    [
      'one topic in tens: a tenth of an update, and sealing',
      'hotTopic',
      { ...ONE_TOPIC, batchWindow: 10 },
      1_000 / (0.1 + PUBLISH.writes - 1),
    ],
    ['one topic over four', 'hotTopic', { ...ONE_TOPIC, shards: 4 }, 4_000 / PUBLISH.writes],
    ['two topics with half of it all', 'hotTopic', { topics: 1e6, hot: { topics: 2, share: 0.5 } }, 4_000 / PUBLISH.writes],
    ['the row #: half a read unit an invocation of 3,000', 'root', EVEN, 6_000],
    ['the row #, in tens', 'root', { ...EVEN, batchWindow: 10 }, 60_000],
    ['1,000 invocations of 100 ms, ten events in each', 'concurrency', EVEN, 100_000],
    ['of 500 ms', 'concurrency', { ...EVEN, milliseconds: 500 }, 20_000],
    ['50 of them', 'concurrency', { ...EVEN, concurrency: 50 }, 5_000],
  ] as const)('%s', (_, name, more, wanted) => {
    if (wanted === undefined) expect(rate(name, more)).toBeUndefined()
    else expect(rate(name, more)! / wanted).toBeCloseTo(1, 3)
  })
})

describe('topics', () => {
  it.each([0, 0.5, 1, 2])('by Zipf with exponent %d: all of them together are one, and the first ones as the law says', (zipf) => {
    const topics = 20_000
    const shares = topicShares(workload({ topics, zipf }))
    expect(shares.reduce((sum, { share, count }) => sum + share * count, 0)).toBeCloseTo(1, 10)
    expect(shares.reduce((sum, { count }) => sum + count, 0)).toBe(topics)
    const all = Array.from({ length: topics }, (_, i) => (i + 1) ** -zipf).reduce((sum, one) => sum + one)
    for (const i of [0, 1, 9]) expect((shares[i]!.share * all) / (i + 1) ** -zipf).toBeCloseTo(1, 3)
  })
})

describe('an hour, second by second', () => {
  it('every publish is refused, handled, or waits', () => {
    for (const more of [{}, { publishes: 30_000 }, { ...ONE_TOPIC, publishes: 2_000 }]) {
      const { published, refused, handled, waiting } = replay(workload({ minutes: 20, ...more }))
      expect((refused + handled + waiting) / published).toBeCloseTo(1, 6)
      expect(published / (workload(more).publishes * 20 * 60)).toBeCloseTo(1, 2)
    }
  })

  it('is the same for the same seed, and another for another', () => {
    const of = (seed: number) => replay(workload({ publishes: 10_000, minutes: 5, seed }))
    expect(of(7)).toEqual(of(7))
    expect(of(7).published).not.toBe(of(8).published)
  })

  it('throttles nothing where all suffices', () => {
    const quiet = workload({ publishes: 300, retain: 'property' })
    expect(scaleOf(quiet).breaks).toEqual([])
    expect(replay(quiet)).toMatchObject({ refused: 0, mostWaiting: 0 })
  })

  it('the retained check is over its quota and holds no publish back', () => {
    const { breaks, replayed } = scaleOf(workload({ ...EVEN, publishes: 1_000 }))
    expect(breaks.map(({ name }) => name)).toContain('retained')
    const without = replay(workload({ ...EVEN, publishes: 1_000, retain: 'property' }))
    expect({ ...replayed, throttled: [...replayed.throttled] }).toEqual({ ...without, throttled: [...without.throttled] })
  })

  it('a new table lets 2,000 messages a second through for half an hour, then twice that', () => {
    const of = (minutes: number) => replay(workload({ publishes: 3_000, retain: 'property', zipf: 0, minutes }))
    const half = of(30)
    expect(half.throttled.get('newMessages')!.from).toBeLessThan(10)
    expect(half.handled / (2_000 * 1_800)).toBeCloseTo(1, 1)
    expect((of(40).handled - half.handled) / (4_000 * 600)).toBeCloseTo(1, 1)
    expect(replay(workload({ publishes: 3_000, retain: 'property', zipf: 0, warm: 40_000 })).throttled.has('newMessages')).toBe(false)
  })

  it('a queue begins with 5 invocations, and 300 more a minute', () => {
    // 5 + 5 a second, of 100 ms, ten events in each: 2,000 events a second after 3 of them
    const { throttled } = replay(workload({ publishes: 2_000, retain: 'property', zipf: 0, warm: 40_000 }))
    expect(throttled.get('ramp')).toMatchObject({ from: 0 })
    expect(throttled.get('ramp')!.seconds).toBeLessThan(10)
  })

  it('what a key refuses is tried again after the queue shows it again: the backlog of one hot topic grows', () => {
    const { throttled, waiting } = replay(workload({ ...ONE_TOPIC, publishes: 1_200, warm: 40_000, minutes: 2 }))
    expect(throttled.get('hotTopic')!.from).toBeLessThan(30)
    expect(waiting).toBeGreaterThan(0.8 * 90 * (1_200 - 1_000 / PUBLISH.writes))
  })
})

it('a million publishes cost what the calculator says, and their part of what a stack costs when nothing happens', () => {
  const totalOf = (publishes: number) => ours({ ...COSTS, publishes, batch: 1 }).total
  const standing = totalOf(0)
  const millions = (1_000 * MONTH_MINUTES * 60) / 1e6
  expect(scaleOf(workload(EVEN)).dollars).toBeCloseTo(totalOf(1e6) - standing + standing / millions, 6)
})

describe('docs/scale.md', () => {
  const page = readFileSync(join(ROOT, 'docs', 'scale.md'), 'utf8')

  it('shows what the model prints', () => {
    expect(page).toContain(`\n${asTable()}\n`)
  })

  it('names the page that says each quota', () => {
    const wordsOf = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    const rows = Object.entries(QUOTAS as Readonly<Record<string, Quota>>).map(
      ([name, quota]) => `| ${wordsOf(name)}: ${quota.value.toLocaleString('en-US')} | ${quota.page} |\n`,
    )
    expect(page).toContain(`\n${rows.join('')}\n`)
  })

  it.each(CASES.map(([flags]) => flags))('its flags %s mean its workload', (text) => {
    expect(workloadOf(read(flags(), ...text.split(' ')))).toEqual(caseOf(text))
  })
})

describe('mqtt-dynamodb scale', () => {
  it('exit status 0 where nothing throttles, 1 where something does', async () => {
    const nothing = expect.stringContaining('seed 1\n  nothing throttles')
    expect(await here('scale', '--publishes', '100', '--minutes', '1')).toEqual({ status: 0, err: '', out: nothing })
    const { status, out } = await here('scale', '--publishes', '1000', '--minutes', '1', '--json')
    expect({ status, first: JSON.parse(out).breaks[0].limit }).toEqual({ status: 1, first: 'retained' })
  })

  it('prints the table of the docs', async () => {
    expect(await here('scale', '--table')).toEqual({ status: 0, err: '', out: asTable() })
  })
})

/** The calculator's arithmetic against examples that were worked out by hand. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bill } from '../../cli/costs/bill.ts'
import { asJson, asText, billsOf } from '../../cli/costs/costs-report.ts'
import { DEFAULTS, type Workload } from '../../cli/costs/costs-workload.ts'
import { emqx, emqxDedicated } from '../../cli/costs/emqx.ts'
import { mapWrites, original, originalUnits } from '../../cli/costs/emqx-pattern.ts'
import { ours, ourUnits } from '../../cli/costs/ours.ts'
import { plainRule } from '../../cli/costs/plain-rule.ts'
import { flags, workloadOf } from '../../cli/costs.ts'
import { HOOK_SETTINGS } from '../../lib/pipeline/hook-settings.ts'
import { here, read } from '../support/run-program.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** A million publishes of 100 B to nobody who is connected at other times. */
const million = (more: Partial<Workload> = {}): Workload => ({ ...DEFAULTS, publishes: 1e6, ...more })
const dollars = (bill: Bill, name: string) => bill.components.find((one) => one.name.startsWith(name))?.dollars
const amount = (bill: Bill, name: string) => bill.components.find((one) => one.name.startsWith(name))?.amount

describe('this backend', () => {
  it('a million publishes that are delivered natively: put at 2.19 units, settled at 1.17', () => {
    const bill = ours(million())
    // In, out and PUBACK, and a GetRetainedMessage: 4 x $1.00
    expect(dollars(bill, 'IoT Core messages')).toBeCloseTo(4, 10)
    expect(dollars(bill, 'IoT rules')).toBeCloseTo(0.15, 10)
    expect(dollars(bill, 'IoT rule actions')).toBeCloseTo(0.15, 10)
    // Send, receive, delete: 3 x $0.40
    expect(dollars(bill, 'SQS')).toBeCloseTo(1.2, 10)
    expect(dollars(bill, 'Lambda invocations')).toBeCloseTo(0.2, 10)
    // 1e6 x 0.1 s x 0.5 GB = 50,000 GB-s
    expect(dollars(bill, 'Lambda GB-seconds')).toBeCloseTo(0.66667, 5)
    // 2.19 + 1.17 = 3.36 units
    expect(dollars(bill, 'DynamoDB write')).toBeCloseTo(2.1, 10)
    expect(bill.total).toBeCloseTo(
      bill.components.reduce((sum, one) => sum + one.dollars, 0),
      10,
    )
  })

  it('of publishes whose subscriber is gone, each is a direct message: request, PUBLISH, PUBACK; and deleted at 1.3 units', () => {
    const workload = million({ offline: 1, retain: 'topic' })
    const bill = ours(workload)
    expect(amount(bill, 'IoT Core messages')).toBeCloseTo(1e6 + 3e6, 3)
    expect(ourUnits(workload).writes).toBeCloseTo(1e6 * (2.19 + 1.3), 3)
    // Its function works twice: to store it, to deliver it.
    expect(amount(bill, 'Lambda GB-seconds')).toBeCloseTo(100_000, 3)
  })

  it.each([
    ['durable', 2.19 + 4.8, 2 + 3.92],
    ['operator', 2.19 + 2.81, 2 + 4],
  ])('a million publishes to a subscriber of the kind %s: each requests its delivery, and is a direct message', (kind, writes, reads) => {
    const workload = million({ [kind]: 1, retain: 'topic' })
    const bill = ours(workload)
    // Send, receive and delete of the publish, and once more of its delivery: 6 x $0.40
    expect(dollars(bill, 'SQS')).toBeCloseTo(2.4, 10)
    expect(amount(bill, 'Lambda invocations')).toBeCloseTo(2e6, 3)
    expect(amount(bill, 'Lambda GB-seconds')).toBeCloseTo(100_000, 3)
    // The publish; request, PUBLISH and PUBACK of the direct message. IoT Core delivers nothing itself.
    expect(amount(bill, 'IoT Core messages')).toBeCloseTo(4e6, 3)
    expect(ourUnits(workload).writes / 1e6).toBeCloseTo(writes, 10)
    expect(ourUnits(workload).reads / 1e6).toBeCloseTo(reads, 10)
    // The others have nothing of it: IoT Core delivers.
    for (const other of [original, plainRule]) expect(other(workload)).toEqual(other(million({ retain: 'topic' })))
  })

  it('while the subscriber is offline, nothing is requested: it gets its queue when it comes back', () => {
    expect(amount(ours(million({ offline: 1, durable: 1 })), 'SQS')).toBe(amount(ours(million({ offline: 1 })), 'SQS'))
  })

  it('I7: costs the same at every depth of the queue', () => {
    expect(ours(million({ depth: 10 })).total).toBe(ours(million({ depth: 8_000 })).total)
  })

  it.each([
    ['IoT Core counts 5 KB', { payload: 10_000, retain: 'topic' }, 'IoT rules', 2e6],
    ['SQS counts 64 KB of base64', { payload: 60_000 }, 'SQS', 1e6 * (2 + 2 + 1)],
    ['a batch of ten is received and deleted at once', { batch: 10 }, 'SQS', 1e6 * 1.2],
    ['a batch of ten is one invocation', { batch: 10 }, 'Lambda invocations', 1e5],
    ['a second subscriber is a PUBLISH and a PUBACK more', { subscribers: 2 }, 'IoT Core messages', 6e6],
    ['a retained message is metered twice', { retained: 0.5 }, 'IoT Core messages', 4.5e6],
    ['a client is connected while it is not gone', { clients: 10, offline: 0.5 }, 'IoT Core connection minutes', 5 * 43_800],
    ['a connection is four events', { publishes: 0, clients: 10, connects: 3 }, 'Lambda invocations', 120],
  ] as const)('%s', (_, more, component, wanted) => {
    expect(amount(ours(million(more)), component)).toBeCloseTo(wanted, 3)
  })
})

describe("EMQX's access pattern", () => {
  it.each([
    // 10 + 32 bytes of names and topic, 47 an id
    [11, 1],
    [20, 1],
    [21, 2],
    [1001, 46],
    [1002, 47],
    [8700, 400],
  ])('a set that has %d ids then is %d write units', (depth, units) => {
    expect(mapWrites(depth, 32)).toBe(units)
  })

  it('puts, adds; acknowledges, deletes, takes the id out: 1 + 46 + 1 + 1 + 46 at 1,000 queued', () => {
    expect(originalUnits(million()).writes).toBe(95e6)
    expect(dollars(original(million()), 'DynamoDB write')).toBeCloseTo(59.375, 10)
  })

  it('cannot go on where the item is full', () => {
    expect(original(million({ depth: 8_713 })).components.length).toBeGreaterThan(0)
    expect(original(million({ depth: 8_714 }))).toMatchObject({ components: [], note: expect.stringMatching(/^cannot/) })
  })
})

it('a plain rule writes one row a publish', () => {
  const bill = plainRule(million({ payload: 1_000 }))
  // 95 + 32 + 20 + 1,000 bytes: two units
  expect(dollars(bill, 'DynamoDB write')).toBeCloseTo(1.25, 10)
  expect(bill.total).toBeCloseTo(3 + 0.3 + 1.25, 10)
})

describe('EMQX Dedicated', () => {
  it.each([
    [{ clients: 1_000 }, 0.36 * 730],
    [{ clients: 1_001 }, 0.5 * 730],
    [{ clients: 10_000 }, 1.49 * 730],
    // 2,628,000 seconds a month; with its delivery a publish is two messages
    [{ publishes: 2_628_000 * 500, depth: 0 }, 0.36 * 730],
    [{ publishes: 2_628_000 * 501, depth: 0 }, 0.5 * 730],
  ])('%j is of the smallest tier that has room', (more, wanted) => {
    expect(dollars(emqxDedicated(million(more)), 'EMQX Dedicated, hours')).toBeCloseTo(wanted, 8)
  })

  it('has no list price above its largest tier', () => {
    expect(emqxDedicated(million({ clients: 10_001 }))).toMatchObject({ components: [], note: expect.stringMatching(/^cannot/) })
  })

  it('pays for what goes out beyond 100 GB', () => {
    const bill = emqxDedicated(million({ publishes: 1024 ** 2, payload: 102_400 - 32, topic: 32, subscribers: 2, depth: 0 }))
    expect(dollars(bill, 'EMQX Dedicated traffic')).toBeCloseTo(100 * 0.15, 8)
  })
})

it('EMQX Enterprise is told only at a price that is given', () => {
  expect(emqx(million())).toBeUndefined()
  expect(asText(million())).toContain('no public list price')
  const bill = emqx(million({ emqx: { nodes: 3, nodeMonthly: 1_000 } }))!
  expect(dollars(bill, 'EMQX Enterprise nodes')).toBe(3_000)
  expect(dollars(bill, 'DynamoDB write')).toBeCloseTo(59.375, 10)
})

it("assumes the memory of the template's function", () => {
  expect(DEFAULTS.memoryMegabytes).toBe(HOOK_SETTINGS['message.publish'].memoryMegabytes)
})

describe('mqtt-dynamodb costs', () => {
  const workloadIn = (args: readonly string[]) => workloadOf(read(flags(), ...args))

  it('prints text, or JSON', async () => {
    const args = ['--publishes', '1e8', '--payload', '200']
    const workload = million({ publishes: 1e8, payload: 200 })
    expect(await here('costs', ...args)).toEqual({ status: 0, out: asText(workload), err: '' })
    expect(JSON.parse((await here('costs', ...args, '--json')).out)).toEqual(JSON.parse(asJson(workload)))
  })

  it('refuses more subscribers than publishes', () => {
    expect(() => workloadIn(['--publishes', '1', '--durable', '0.7', '--operator', '0.5'])).toThrow(
      '--durable 0.7 and --operator 0.5 are more than all publishes, wanted at most 1 together',
    )
  })

  it("compares with nodes of one's own", () => {
    const { emqx } = workloadIn(['--publishes', '1', '--emqx-nodes', '3', '--emqx-node-monthly', '99.5'])
    expect(emqx).toEqual({ nodes: 3, nodeMonthly: 99.5 })
  })

  it('docs/costs.md shows what it prints', () => {
    const text = readFileSync(join(ROOT, 'docs/costs.md'), 'utf8')
    const shown = [...text.matchAll(/```\n\$ npx mqtt-dynamodb costs (.*)\n([\s\S]*?)```/g)]
    expect(shown.length).toBeGreaterThan(1)
    for (const [, args, printed] of shown) {
      expect(asText(workloadIn(args!.split(' ')))).toBe(printed)
    }
    const rows = [...text.matchAll(/^\| `(.*?)` \| ([\d.,]+) \| ([\d.,]+|cannot) \| ([\d.,]+) \| ([\d.,]+|cannot) \|$/gm)]
    expect(rows.length).toBeGreaterThan(4)
    for (const [, args, ...cells] of rows) {
      const totals = billsOf(workloadIn(args!.split(' '))).map(({ components, total }) =>
        components.length === 0 ? 'cannot' : Math.round(total).toLocaleString('en-US'),
      )
      expect([args, ...cells]).toEqual([args, ...totals])
    }
  })
})

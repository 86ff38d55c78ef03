/**
 * Every SDK call of every handler, and everything that can go wrong at it: the invariants hold (DESIGN.md, section 4).
 *
 * @slow
 * @seconds 100
 */
import { createTables, forEachEngine } from '../support/engines.ts'
import { BREAKAGES } from './breakages.ts'
import { failureOf, pairs, SCENARIOS, singles } from './campaign.ts'
import { onEngine } from './engine-ground.ts'
import { FAULTS } from './fault-kinds.ts'
import { onMaps, prepare, runCase } from './run-case.ts'
import { clientsOnWire } from './wire.ts'

jest.setTimeout(120_000)

const ground = onMaps(clientsOnWire({ hasty: true }))
/** Of each scenario; `npm run faults -- --pairs N` goes further. */
const PAIRS = 5
const named = SCENARIOS.map((scenario) => [scenario.name, scenario] as const)

describe('I1 to I10 hold after a fault at any call', () => {
  const met = new Set<string>()

  it.each(named)('%s', async (_name, scenario) => {
    const prepared = await prepare(scenario, ground)
    expect(prepared.calls.length).toBeGreaterThan(0)
    for (const one of [...singles(prepared, { twins: false }), ...pairs(prepared, PAIRS, 1)]) {
      const { failure } = await failureOf(prepared, ground, one)
      if (failure !== undefined) throw new Error(failure.told)
      for (const { fault } of one.faults) met.add(fault.name)
    }
  })

  it('every fault was met somewhere', () => {
    expect(FAULTS.filter(({ name, twin }) => !twin && !met.has(name)).map(({ name }) => name)).toEqual([])
  })
})

it('the same case ends in the same history', async () => {
  const prepared = await prepare(SCENARIOS.find(({ name }) => name === 'subscribed: a backlog in the head')!, ground)
  const one = pairs(prepared, 1, 7)[0]!
  const [first, second] = [await runCase(prepared, ground, one, { verbose: true }), await runCase(prepared, ground, one, { verbose: true })]
  expect(first.history).toEqual(second.history)
  expect(first.history.length).toBeGreaterThan(10)
})

describe('finds what it looks for: a product with', () => {
  it.each(BREAKAGES.map((breakage) => [breakage.name, breakage] as const))('%s', async (_name, breakage) => {
    for (const scenario of SCENARIOS.filter(({ name }) => breakage.where.test(name))) {
      const prepared = await prepare(scenario, ground)
      for (const one of singles(prepared, { twins: false })) {
        const { violations } = await runCase(prepared, ground, one, { breakage })
        if (violations.some((violation) => breakage.violates.test(violation))) return
      }
    }
    throw new Error(`no case says ${breakage.violates}`)
  })
})

/** With the SDK's real pauses between its tries. */
const ON_ENGINES = [
  'delivered: a server-side subscriber is live: pushed and acknowledged',
  'subscribed: a backlog in the head',
  'disconnected: a spilled client',
]
const SOME =
  /^(throttled|reply lost|transaction conflict|crash (before|after)|unprocessed: (all|some)|received again meanwhile|PUBACK came, 504)$/

forEachEngine((engine) => {
  it.each(ON_ENGINES)('%s', async (name) => {
    const onThis = onEngine({ url: engine.url, client: engine.client, tables: await createTables(engine) })
    const prepared = await prepare(SCENARIOS.find((scenario) => scenario.name === name)!, onThis)
    const cases = singles(prepared, { twins: false }).filter(({ faults }) => SOME.test(faults[0]?.fault.name ?? ''))
    const chosen = cases.filter((_, i) => i % (engine.name === 'embedded' ? 6 : 15) === 0)
    expect(chosen.length).toBeGreaterThan(2)
    for (const one of chosen) {
      const { failure } = await failureOf(prepared, onThis, one)
      if (failure !== undefined) throw new Error(failure.told)
    }
  })
})

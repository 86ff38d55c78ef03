/**
 * I1 to I6 under random interleavings and faults; `npm run simulate -- --runs 100000` goes further.
 *
 * @slow
 * @seconds 30
 */
import { availableParallelism } from 'node:os'
import { campaign } from './campaign.ts'
import { FAULT_NAMES } from './faults.ts'
import { runHistory } from './history.ts'
import { formatPlan, parsePlan, planOf } from './plan.ts'
import type { Scene } from './scene.ts'
import { shrink } from './shrink.ts'

const HISTORIES = 2_000
const JOBS = availableParallelism()

jest.setTimeout(600_000)

describe(`${HISTORIES} histories`, () => {
  const task = { seed: 1, runs: HISTORIES }
  let done: Awaited<ReturnType<typeof campaign>>
  beforeAll(async () => {
    done = await campaign(task, JOBS, () => {})
  })

  it('violate nothing', async () => {
    const [found] = [...done.findings.values()]
    if (found === undefined) return
    const { log, violations, plan } = await shrink(await runHistory(parsePlan(found[0]!.plan)), { tries: 1_000 })
    throw new Error([...log.slice(-200), ...violations, `replay: npm run simulate -- --seed ${formatPlan(plan)}`].join('\n'))
  })

  it('meet every fault', () => {
    expect(FAULT_NAMES.filter((name) => !done.coverage.counts.has(`fault: ${name}`))).toEqual([])
  })

  it('are different interleavings of different worlds', () => {
    expect(done.runs).toBe(HISTORIES)
    expect(done.interleavings).toBeGreaterThan(0.99 * HISTORIES)
    expect(done.coverage.states.size).toBeGreaterThan(200)
  })
})

describe('a history', () => {
  it('is the same for the same seed', async () => {
    const [one, two] = [await runHistory(7), await runHistory(7)]
    expect(one.log).toEqual(two.log)
    expect(one.log).not.toEqual((await runHistory(8)).log)
  })

  it('is made as short as it still shows what was wrong', async () => {
    const ask = ({ iotCore }: Scene) =>
      iotCore.published
        .filter(({ name }) => [...iotCore.clients.values()].some(({ got }) => got.size > 0) && name === 'm0')
        .map(() => 'got one')
    const found = await runHistory(9, { ask })
    expect(found.violations).toEqual(['got one'])
    const shortest = await shrink(found, { ask, tries: 500 })
    expect(shortest.violations).toEqual(['got one'])
    expect(shortest.steps.length).toBeLessThanOrEqual(3)
    expect([...shortest.plan.without]).toEqual(FAULT_NAMES)
    const again = await runHistory(parsePlan(formatPlan(shortest.plan)), { ask })
    expect(again.log).toEqual(shortest.log)
  })
})

describe('a seed', () => {
  it.each(['1', '123/4/0,3,7/crash,late', '5/1//', '0'])('%s', (text) => {
    expect(parsePlan(formatPlan(parsePlan(text)))).toEqual(parsePlan(text))
  })
  it('alone is the whole history', () => {
    expect(parsePlan('12')).toEqual(planOf(12))
  })
  it.each(['', 'x', '-1', '1.5', '1/2/3/4/5', '1/x', '1/2/a', '1/2/3/nonsense', '12345678901'])('refuses %j', (text) => {
    expect(() => parsePlan(text)).toThrow(/^seed is /)
  })
})

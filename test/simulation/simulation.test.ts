/** The protocol under random interleavings; `npx tsx test/simulation/simulate.ts --runs 10000` goes further. */
import { runHistory } from './history.ts'
import { MUTANTS } from './mutants.ts'

const HISTORIES = 60
/** A mutant that needs more is marked rare. */
const SEARCHED = 150

jest.setTimeout(120_000)

it(`I1 to I6 hold in ${HISTORIES} histories of faults, crashes and reordered events`, async () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { violations, log } = await runHistory(seed)
    if (violations.length > 0) throw new Error([`seed ${seed}:`, ...log.slice(-200), ...violations].join('\n'))
  }
})

it('the same seed gives the same history', async () => {
  const [one, two] = [await runHistory(7), await runHistory(7)]
  expect(one.log).toEqual(two.log)
  expect(one.log).not.toEqual((await runHistory(8)).log)
})

describe('finds what it looks for: a mutant', () => {
  it.each(MUTANTS.filter(({ rare }) => !rare).map((mutant) => [mutant.name, mutant] as const))('%s', async (_name, mutant) => {
    for (let seed = 1; seed <= SEARCHED; seed++) {
      const { violations } = await runHistory(seed, { mutant })
      if (violations.some((violation) => mutant.violates.test(violation))) return
    }
    throw new Error(`nothing like ${mutant.violates} in ${SEARCHED} histories`)
  })
})

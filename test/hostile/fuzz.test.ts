/** A little of everything, the same in every run; `npm run fuzz` goes on from there. A hang is this test's timeout. */
import fc from 'fast-check'
import { FUZZ_TARGETS } from './fuzz-targets.ts'

test.each(FUZZ_TARGETS.map((target) => [target.name, target.runs, target] as const))(
  '%s: nothing breaks in %d runs',
  async (_name, numRuns, target) => {
    const { property, close } = await target.open()
    try {
      await fc.assert(property, { numRuns, seed: 1 })
    } finally {
      await close()
    }
  },
  60_000,
)

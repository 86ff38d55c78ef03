/** Runs histories of a mutated product until one shows the mutant, and says which. Bundled and started by mutant-search.ts. */
import { runHistory } from './history.ts'
import { castOf, MUTANTS } from './mutants.ts'

const [name, first, runs] = process.argv.slice(2)
const mutant = MUTANTS.find((one) => one.name === name)!

let violation: string | undefined
let histories = 0
for (const seed of seedsFrom(Number(first), Number(runs))) {
  const outcome = await runHistory(seed, { cast: castOf(mutant), ...(mutant.shares && { shares: mutant.shares }) })
  histories++
  violation = outcome.violations.find((one) => mutant.violates.test(one))
  if (violation !== undefined) break
}
process.send!({ violation, histories })

function* seedsFrom(from: number, count: number): Generator<number> {
  const { shows = 0 } = mutant
  if (shows >= from && shows < from + count) yield shows
  for (let seed = from; seed < from + count; seed++) if (seed !== shows) yield seed
}

/** Runs histories of a mutated product until one shows the mutant, and says which. Bundled and started by mutant-search.ts. */
import { runHistory } from './history.ts'
import { castOf, MUTANTS } from './mutants.ts'

const [name, first, runs] = process.argv.slice(2)
const mutant = MUTANTS.find((one) => one.name === name)!

let violation: string | undefined
let seed = Number(first)
for (const end = seed + Number(runs); violation === undefined && seed < end; seed++) {
  const outcome = await runHistory(seed, { cast: castOf(mutant), ...(mutant.shares && { shares: mutant.shares }) })
  violation = outcome.violations.find((one) => mutant.violates.test(one))
}
process.send!({ violation, histories: seed - Number(first) })

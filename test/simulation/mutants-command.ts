/** `npm run mutants`: whether the simulation finds each fault that is built in on purpose, and by what. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { searchAll } from './mutant-search.ts'
import { MUTANTS } from './mutants.ts'
import { whole } from './numbers.ts'

const HELP = `Usage: npm run mutants [-- OPTIONS]

The product with one fault built in at a time, and what the simulation says of it. Exit code 1 if a mutant survives.

  --only TEXT   mutants whose name has it
  --runs N      histories to look in (as many as the mutant needs, mostly 1000)
  --seed N      the first one's seed (1)
  --jobs N      processes (one for each core)
  --help        this
`

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`mutants: ${error.message}\n`)
  return 2
})

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: `${availableParallelism()}` },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const mutants = MUTANTS.filter(({ name }) => name.includes(values.only))
  if (mutants.length === 0) throw new Error(`--only is '${values.only}', wanted a part of a mutant's name`)
  const runs = values.runs === undefined ? undefined : whole('runs', values.runs, 1)
  const [seed, jobs] = [whole('seed', values.seed, 0), whole('jobs', values.jobs, 1)]
  const width = Math.max(...mutants.map(({ name }) => name.length))
  let survived = 0
  await searchAll(mutants, { seed, runs, jobs }, ({ name }, { violation, histories }) => {
    if (violation === undefined) survived++
    const said =
      violation === undefined ? `SURVIVED ${histories} histories` : `${histories}`.padStart(4).padEnd(6) + violation.slice(0, 100)
    process.stdout.write(`${name.padEnd(width)}  ${said}\n`)
  })
  process.stdout.write(`${mutants.length - survived} of ${mutants.length} mutants found\n`)
  return survived === 0 ? 0 : 1
}

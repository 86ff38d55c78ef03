/** `npm run mutants`: whether the simulation finds each fault that is built in on purpose, and by what. */
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { searchAll } from './mutant-search.ts'
import { MUTANTS } from './mutants.ts'
import { type MutantsFlags, mutantsFlags } from './simulation-flags.ts'

await runCommand(mutantsFlags().action(exits(search)), process.argv.slice(2))

async function search({ only = '', ...options }: MutantsFlags): Promise<number> {
  const mutants = MUTANTS.filter(({ name }) => name.includes(only))
  const width = Math.max(...mutants.map(({ name }) => name.length))
  let survived = 0
  await searchAll(mutants, options, ({ name }, { violation, histories }) => {
    if (violation === undefined) survived++
    const said =
      violation === undefined ? `SURVIVED ${histories} histories` : `${histories}`.padStart(4).padEnd(6) + violation.slice(0, 100)
    process.stdout.write(`${name.padEnd(width)}  ${said}\n`)
  })
  process.stdout.write(`${mutants.length - survived} of ${mutants.length} mutants found\n`)
  return survived === 0 ? 0 : 1
}

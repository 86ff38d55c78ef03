/** `npm run million`: the operators' commands on the tables of a big fleet. */
import { Progress } from '../../cli/command-line/progress.ts'
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { measureAt } from './measure-commands.ts'
import { type MillionFlags, millionFlags } from './million-flags.ts'

await runCommand(millionFlags().action(exits(million)), process.argv.slice(2))

async function million({ scale }: MillionFlags): Promise<number> {
  const progress = new Progress('million')
  const say = (line: string) => {
    progress.end()
    process.stdout.write(`${line}\n`)
  }
  const { measured } = await measureAt(scale, say, (phase, done, of) => {
    if (progress.name !== phase) progress.begin(phase, of)
    progress.at(done)
  })
  progress.end()
  return measured.every(({ faults }) => faults.length === 0) ? 0 : 1
}

/** `npm run fuzz`: hostile input for as long as one likes. */
import fc from 'fast-check'
import { Progress } from '../../cli/command-line/progress.ts'
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { type FuzzFlags, flags } from './fuzz-flags.ts'
import type { FuzzTarget } from './fuzz-target.ts'

/** Longer than any input may take, milliseconds. */
const HANG_MS = 300_000
const TELL_MS = 500

process.on('uncaughtException', (error) => {
  process.stderr.write(`\nended by an error that nobody caught:\n${error.stack}\n`)
  process.exit(1)
})
await runCommand(flags().action(exits(fuzz)), process.argv.slice(2))
// Whatever a target still waits for.
process.exit()

async function fuzz({ runs, seed = Date.now() % 2 ** 31, only }: FuzzFlags): Promise<number> {
  const { FUZZ_TARGETS } = await import('./fuzz-targets.ts')
  let broken = 0
  for (const target of FUZZ_TARGETS) if ((only ?? target.name) === target.name && !(await holds(target, { runs, seed }))) broken++
  return broken === 0 ? 0 : 1
}

async function holds(target: FuzzTarget, { runs, seed }: { readonly runs: number; readonly seed: number }): Promise<boolean> {
  const { property, close } = await target.open()
  const progress = new Progress('fuzz')
  progress.begin(target.name, runs)
  let done = 0
  const counting = property.beforeEach(() => void done++)
  const tick = setInterval(() => progress.at(done), TELL_MS)
  const result = await fc.check(counting, { numRuns: runs, seed, timeout: HANG_MS })
  clearInterval(tick)
  await close()
  progress.end()
  if (!result.failed)
    process.stdout.write(`${target.name}: ${runs} runs with seed ${seed} in ${progress.seconds.toFixed(1)} s, nothing broke\n`)
  else {
    process.stdout.write(`${target.name}: broke in run ${result.numRuns}: ${result.errorInstance}\n`)
    process.stdout.write(`${fc.defaultReportMessage(result)?.slice(0, 20_000)}\n`)
    process.stdout.write(`Again: npm run fuzz -- --only ${target.name} --runs ${runs} --seed ${seed}\n`)
  }
  return !result.failed
}

/** `npm run fuzz`: hostile input for as long as one likes. */
import fc from 'fast-check'
import { type FuzzCommand, fuzzCommand, HELP } from './fuzz-command.ts'
import type { FuzzTarget } from './fuzz-target.ts'

/** Longer than any input may take, milliseconds. */
const HANG_MS = 30_000
const WIDTH = 30

process.on('uncaughtException', (error) => {
  process.stderr.write(`\nended by an error that nobody caught:\n${error.stack}\n`)
  process.exit(1)
})
process.exit(await main(process.argv.slice(2)))

async function main(args: string[]): Promise<number> {
  const command = fuzzCommand(args)
  if (command === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if ('wrong' in command) {
    process.stderr.write(`fuzz: ${command.wrong} (see --help)\n`)
    return 2
  }
  const { FUZZ_TARGETS } = await import('./fuzz-targets.ts')
  let broken = 0
  for (const target of FUZZ_TARGETS) if (command.only.includes(target.name) && !(await holds(target, command))) broken++
  return broken === 0 ? 0 : 1
}

async function holds(target: FuzzTarget, { runs, seed }: FuzzCommand): Promise<boolean> {
  const { property, close } = await target.open()
  const started = performance.now()
  let done = 0
  const counting = property.beforeEach(() => void done++)
  const tick = setInterval(() => progress(target.name, done, runs), 500)
  const result = await fc.check(counting, { numRuns: runs, seed, timeout: HANG_MS })
  clearInterval(tick)
  await close()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (!result.failed) process.stdout.write(`${target.name}: ${runs} runs with seed ${seed} in ${seconds} s, nothing broke\n`)
  else {
    process.stdout.write(`${target.name}: broke in run ${result.numRuns}\n${fc.defaultReportMessage(result)?.slice(0, 20_000)}\n`)
    process.stdout.write(`Again: npm run fuzz -- --only ${target.name} --runs ${runs} --seed ${seed}\n`)
  }
  return !result.failed
}

/** A bar on a terminal; nothing in a file. */
function progress(name: string, done: number, runs: number): void {
  if (!process.stderr.isTTY) return
  const full = Math.min(WIDTH, Math.round((done / runs) * WIDTH))
  process.stderr.write(`\r\u001b[K${name.padEnd(12)}[${'#'.repeat(full)}${' '.repeat(WIDTH - full)}] ${done} of ${runs}`)
}

/** `npm run soak`: nothing is lost, asked of real processes. */
import { setMaxListeners } from 'node:events'
import { Progress } from '../../cli/command-line/progress.ts'
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { BackendError } from '../../lambda/core/errors.ts'
import { soak } from './soak.ts'
import { flags, replayOf, type SoakFlags, type SoakOptions } from './soak-flags.ts'
import { held, reportText } from './soak-report.ts'

const INTERRUPTED = 'interrupted'
const stop = new AbortController()
// Every client listens to it.
setMaxListeners(0, stop.signal)
let askedAt = 0
/** One Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const SAME_KEYSTROKE_MS = 300

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)

async function run(given: SoakFlags): Promise<number> {
  const { json, minutesLimit, ...options } = given
  const progress = new Progress('soak')
  const tooLate = () => stop.abort(new Error(`not finished within ${minutesLimit} minutes, in phase: ${progress.name}`))
  const timer = setTimeout(tooLate, minutesLimit * 60_000)
  try {
    const report = await soak(options, { progress, signal: stop.signal })
    progress.end()
    await print(json ? `${JSON.stringify(report)}\n` : reportText(report))
    return held(report) ? 0 : 1
  } catch (error) {
    progress.end()
    return failed(options, stop.signal.aborted ? stop.signal.reason : error)
  } finally {
    clearTimeout(timer)
  }
}

function failed(options: SoakOptions, reason: unknown): number {
  if (reason === INTERRUPTED) {
    process.stderr.write('soak: interrupted, all processes ended\n')
    return 130
  }
  if (reason instanceof BackendError) process.stderr.write(`soak: ${reason.message}\n`)
  else process.stderr.write(`soak: ${(reason as Error).message}\nPlay it again: ${replayOf(options)}\n`)
  return 1
}

/** All of it, also into a pipe, before the process ends. */
const print = (text: string) => new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))

/** The second one does not wait. */
function interrupt(): void {
  if (stop.signal.aborted && performance.now() - askedAt > SAME_KEYSTROKE_MS) process.exit(130)
  if (stop.signal.aborted) return
  askedAt = performance.now()
  stop.abort(INTERRUPTED)
}
await runCommand(flags().action(exits(run)), process.argv.slice(2))
// Whatever a client still waits for.
process.exit()

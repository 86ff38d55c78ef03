/** `npm run soak`: nothing is lost, asked of real processes. */
import { setMaxListeners } from 'node:events'
import { BackendError } from '../../lambda/core/errors.ts'
import { soak } from './soak.ts'
import { HELP, parseSoak, replayOf, type SoakCommand } from './soak-flags.ts'
import { progressOn } from './soak-progress.ts'
import { held, reportText } from './soak-report.ts'

const INTERRUPTED = 'interrupted'
const stop = new AbortController()
// Every client listens to it.
setMaxListeners(0, stop.signal)
let askedAt = 0
/** One Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const SAME_KEYSTROKE_MS = 300

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)

async function main(): Promise<number> {
  const command = read(process.argv.slice(2))
  if (command === undefined) return 2
  if (command.help) {
    await print(HELP)
    return 0
  }
  const progress = progressOn(process.stderr)
  const tooLate = () => stop.abort(new Error(`not finished within ${command.minutesLimit} minutes, in phase: ${progress.name}`))
  const timer = setTimeout(tooLate, command.minutesLimit * 60_000)
  try {
    const report = await soak(command, { progress, signal: stop.signal })
    progress.end()
    await print(command.json ? `${JSON.stringify(report)}\n` : reportText(report))
    return held(report) ? 0 : 1
  } catch (error) {
    progress.end()
    return failed(command, stop.signal.aborted ? stop.signal.reason : error)
  } finally {
    clearTimeout(timer)
  }
}

function read(args: string[]): SoakCommand | undefined {
  try {
    return parseSoak(args)
  } catch (error) {
    process.stderr.write(`soak: ${(error as Error).message} (see --help)\n`)
    return undefined
  }
}

function failed(command: SoakCommand, reason: unknown): number {
  if (reason === INTERRUPTED) {
    process.stderr.write('soak: interrupted, all processes ended\n')
    return 130
  }
  if (reason instanceof BackendError) process.stderr.write(`soak: ${reason.message}\n`)
  else process.stderr.write(`soak: ${(reason as Error).message}\nPlay it again: ${replayOf(command)}\n`)
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
process.exit(await main())

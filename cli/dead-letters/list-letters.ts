/** Lists dead letters and rule errors: a redrive that sends nothing. */
import { printable } from '../../local/printable.ts'
import { Progress } from '../command-line/progress.ts'
import type { PassReport, Sendable, Stay } from './queue-pass.ts'
import { redrive } from './redrive.ts'
import { timeText } from './redrive-report.ts'
import { errorLine } from './sqs-client.ts'
import { type QueueFlags, withQueues } from './stack-queues.ts'
import { stopOnSignal } from './stop-on-signal.ts'

/** @returns exit status: 0 if every queue could be read to its end */
export async function listLetters(flags: QueueFlags): Promise<number> {
  const stopped = stopOnSignal()
  return await withQueues(flags, async ({ client, queues, where }) => {
    const passes = await redrive(client, queues, { hooks: flags.hook, dryRun: true, stopped })
    process.stdout.write(flags.json ? asJson(passes) : asText(passes))
    const failures = new Set(passes.flatMap(({ failure }) => (failure === undefined ? [] : [errorLine(failure, where)])))
    for (const failure of failures) new Progress('dead-letters list').say(failure)
    return failures.size === 0 && !stopped() ? 0 : 1
  })
}

const lettersOf = ({ sendable = [], stays }: PassReport): (Sendable | Stay)[] => [...sendable, ...stays].sort((a, b) => a.sentAt - b.sentAt)

/** One object for each queue with its letters, oldest first. A letter that cannot be sent again has `code` and `why`. */
const asJson = (passes: readonly PassReport[]): string =>
  `${JSON.stringify({ queues: passes.map((pass) => ({ name: pass.name, url: pass.url, invisible: pass.invisible, letters: lettersOf(pass) })) })}\n`

function asText(passes: readonly PassReport[]): string {
  const lines = passes.flatMap((pass) => {
    const letters = lettersOf(pass)
    return [
      ...(letters.length > 0 ? [`${pass.name}: ${letters.length}`, ...letters.map(lineOf)] : []),
      ...(pass.invisible > 0 ? [`${pass.name}: about ${pass.invisible} more are hidden, because another reader has received them`] : []),
    ]
  })
  const sum = (of: (pass: PassReport) => number) => passes.reduce((total, pass) => total + of(pass), 0)
  const [sendable, stays] = [sum(({ redriven }) => redriven), sum((pass) => pass.stays.length)]
  const total = sendable + stays === 0 ? 'nothing' : `${sendable} can be sent again, ${stays} cannot`
  return `${[...lines, total].join('\n')}\n`
}

function lineOf(letter: Sendable | Stay): string {
  const hook = letter.hook === undefined ? '' : `${letter.hook}  `
  return `  ${letter.messageId}  ${timeText(letter.sentAt)}  ${hook}${'code' in letter ? printable(`${letter.code}: ${letter.why}`) : 'can be sent again'}`
}

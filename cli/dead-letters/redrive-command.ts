/** Redrives dead letters and rule errors, or says what a redrive would do. */
import { Progress } from '../command-line/progress.ts'
import type { PassReport } from './queue-pass.ts'
import { redrive } from './redrive.ts'
import { asJson, asText, failuresIn, isComplete, isWorthTelling, type QueueReport } from './redrive-report.ts'
import { errorLine, type Where } from './sqs-client.ts'
import { type QueueFlags, withQueues } from './stack-queues.ts'
import { stopOnSignal } from './stop-on-signal.ts'

/** @returns exit status: 0 if no letter is left */
export async function redriveLetters(flags: QueueFlags & { readonly dryRun?: true | undefined }): Promise<number> {
  const dryRun = flags.dryRun === true
  const stopped = stopOnSignal()
  return await withQueues(flags, async ({ client, queues, where }) => {
    const progress = new Progress('dead-letters redrive')
    const passes = await redrive(client, queues, { hooks: flags.hook, dryRun, onProgress: progressOf(progress), stopped })
    progress.end()
    const report = { dryRun, stopped: stopped(), queues: passes.map((pass) => queueReport(pass, where)) }
    if (flags.json) process.stdout.write(asJson(report))
    else if (isWorthTelling(report)) process.stdout.write(asText(report))
    for (const failure of failuresIn(report)) progress.say(failure)
    return isComplete(report) ? 0 : 1
  })
}

/** All queues are emptied at the same time, so the progress is that of all together. */
function progressOf(progress: Progress): (of: { name: string; redriven: number; stays: number; all: number }) => void {
  const queues = new Map<string, { done: number; all: number }>()
  progress.begin('letters')
  return ({ name, redriven, stays, all }) => {
    queues.set(name, { done: redriven + stays, all })
    const sum = (key: 'done' | 'all') => [...queues.values()].reduce((total, queue) => total + queue[key], 0)
    progress.at(sum('done'), `of about ${sum('all')}`)
  }
}

function queueReport({ failure, ...pass }: PassReport, where: Where): QueueReport {
  return failure === undefined ? pass : { ...pass, failed: errorLine(failure, where) }
}

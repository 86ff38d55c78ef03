/** One dead letter or rule error, with its body. It is looked for as a redrive does it that sends nothing. */
import { BackendError } from '../../lambda/core/errors.ts'
import { lines } from '../console/text.ts'
import { isFault, type Letter, type Verdict } from './letter.ts'
import { redriveQueue, type Source } from './queue-pass.ts'
import { sourcesOf } from './redrive.ts'
import { timeText } from './redrive-report.ts'
import { type QueueFlags, withQueues } from './stack-queues.ts'

interface Found {
  readonly name: string
  readonly letter: Letter
  readonly verdict: Verdict
}

/** @returns exit status @throws BackendError `not-found` */
export async function showLetter(messageId: string, flags: QueueFlags): Promise<number> {
  const found = await withQueues(flags, async ({ client, queues }) => {
    const { sources, targets } = sourcesOf(client, queues, flags.hook)
    let seen: Found | undefined
    const noting = ({ name, queue, verdict }: Source): Source => ({
      name,
      queue,
      verdict: (letter) => {
        const said = verdict(letter)
        if (letter.messageId === messageId) seen = { name, letter, verdict: said }
        return said
      },
    })
    const run = { targets, dryRun: true, sentAs: new Set<string>(), onProgress: () => undefined, stopped: () => seen !== undefined }
    const passes = await Promise.all(sources.map((source) => redriveQueue(noting(source), run)))
    const [failure] = passes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))
    if (seen === undefined && failure !== undefined) throw failure
    return seen
  })
  if (found === undefined)
    throw new BackendError(
      'not-found',
      `letter ${JSON.stringify(messageId)}: no queue shows it; another reader may have received it just now`,
    )
  process.stdout.write(flags.json ? `${JSON.stringify(asJson(found))}\n` : asText(found))
  return 0
}

const asJson = ({ name, letter: { messageId, sentAt, body }, verdict }: Found): object => ({
  queue: name,
  messageId,
  sentAt,
  ...(isFault(verdict) ? { code: verdict.code, why: verdict.why } : {}),
  body,
})

function asText({ name, letter: { messageId, sentAt, body }, verdict }: Found): string {
  const can = isFault(verdict) ? `cannot be sent again: ${verdict.code}: ${verdict.why}` : 'can be sent again'
  return `${name}: ${messageId}, ${timeText(sentAt)}, ${lines(can)}\n${lines(pretty(body))}\n`
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

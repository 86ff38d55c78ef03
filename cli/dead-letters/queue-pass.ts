/**
 * One pass over a queue of letters: each letter that can succeed is sent to its hook's queue, then deleted. In this order a redrive that
 * is killed in between sends the letter twice, which changes nothing (I4). In the other order it would lose the letter (I1).
 */
import type { HookName } from '../../lambda/core/hooks.ts'
import { type Fault, isFault, type Letter, type Verdict } from './letter.ts'
import type { SqsQueue } from './sqs-queue.ts'

export interface Source {
  /** The hook, or `rule errors`. */
  readonly name: string
  readonly queue: SqsQueue
  readonly verdict: (letter: Letter) => Verdict
}

/** What all passes of one redrive share. */
export interface Run {
  /** The hooks' queues. */
  readonly targets: ReadonlyMap<HookName, SqsQueue>
  /** Letters of other hooks stay. */
  readonly only?: readonly HookName[]
  readonly dryRun: boolean
  /** Message ids that SQS gave to what was sent. A message that becomes a dead letter again keeps its id. */
  readonly sentAs: Set<string>
  readonly onProgress: (progress: Progress) => void
  readonly stopped: () => boolean
}

export interface Progress {
  readonly name: string
  /** Letters that were sent and deleted; in a dry run those that would be. */
  readonly redriven: number
  readonly stays: number
  /** About how many letters there were at the beginning. */
  readonly all: number
}

/** A letter that can be sent again. */
export interface Sendable {
  readonly messageId: string
  /** Milliseconds since the epoch. */
  readonly sentAt: number
  readonly hook: HookName
}

export interface Stay extends Fault {
  readonly messageId: string
  readonly sentAt: number
  readonly hook?: HookName
}

export interface PassReport {
  readonly name: string
  readonly url: string
  readonly redriven: number
  /** In a dry run: what would be redriven, oldest first. */
  readonly sendable?: readonly Sendable[]
  /** Oldest first. */
  readonly stays: readonly Stay[]
  /** About how many letters other readers had received and not deleted when the pass began. */
  readonly invisible: number
  /** The error that ended the pass early. */
  readonly failure?: unknown
}

/** Never rejects: an error becomes a part of the report, which also says what was done before. */
export async function redriveQueue(source: Source, run: Run): Promise<PassReport> {
  const pass = new Pass(source, run)
  const failures: unknown[] = []
  try {
    await pass.begin()
    while (!run.stopped() && (await pass.step())) pass.tell()
  } catch (error) {
    failures.push(error)
  }
  await pass.release().catch((error: unknown) => failures.push(error))
  const failure = failures.length > 0 ? { failure: failures[0] } : {}
  return { name: source.name, url: source.queue.url, ...pass.outcome(), ...failure }
}

/** SQS may show deleted letters again. So many of them in a row do not end a pass. */
const DELETED_AND_SHOWN = 10

interface Outgoing {
  readonly letter: Letter
  readonly hook: HookName
  readonly body: string
}

class Pass {
  readonly #source: Source
  readonly #run: Run
  /** Message id -> receipt of the letters that this pass has received and not deleted. */
  readonly #held = new Map<string, string>()
  readonly #stays = new Map<string, Stay>()
  readonly #sent = new Set<string>()
  /** Message ids of redriven letters. It is a set because SQS may show a deleted letter again. */
  readonly #redriven = new Set<string>()
  readonly #sendable: Sendable[] = []
  #seenInARow = 0

  #counts = { visible: 0, invisible: 0 }

  constructor(source: Source, run: Run) {
    this.#source = source
    this.#run = run
  }

  async begin(): Promise<void> {
    this.#counts = await this.#source.queue.counts()
  }

  /** Handles at most ten letters. False: the queue is empty, or it has shown only known letters for a whole round. */
  async step(): Promise<boolean> {
    const letters = await this.#source.queue.receive()
    const again = letters.filter(({ messageId }) => this.#sent.has(messageId))
    const news = letters.filter(({ messageId }) => !this.#held.has(messageId) && !this.#sent.has(messageId)).sort(oldestFirst)
    for (const { messageId, receipt } of letters) this.#held.set(messageId, receipt)
    this.#seenInARow = news.length > 0 ? 0 : this.#seenInARow + letters.length
    const outgoing = news.flatMap((letter) => this.#judge(letter))
    await this.#remove([...again, ...(await this.#send(outgoing))])
    return letters.length > 0 && this.#seenInARow <= this.#held.size + DELETED_AND_SHOWN
  }

  tell(): void {
    this.#run.onProgress({ name: this.#source.name, redriven: this.#redriven.size, stays: this.#stays.size, all: this.#counts.visible })
  }

  /** Makes the letters that stay visible to other readers. */
  async release(): Promise<void> {
    await this.#source.queue.release([...this.#held.values()])
  }

  outcome(): Omit<PassReport, 'name' | 'url' | 'failure'> {
    const { invisible } = this.#counts
    const sendable = this.#run.dryRun ? { sendable: this.#sendable.sort(oldestFirst) } : {}
    return { invisible, redriven: this.#redriven.size, ...sendable, stays: [...this.#stays.values()].sort(oldestFirst) }
  }

  /** The message to send for a letter, or none. */
  #judge(letter: Letter): Outgoing[] {
    const verdict = this.#run.sentAs.has(letter.messageId) ? CAME_BACK : this.#source.verdict(letter)
    const { hook } = verdict
    const { only, targets, dryRun } = this.#run
    if (only && hook !== undefined && !only.includes(hook)) return []
    if (isFault(verdict)) return this.#stay(letter, verdict)
    if (!targets.has(verdict.hook)) return this.#stay(letter, { hook: verdict.hook, code: 'no-queue', why: `${hook} has no queue here` })
    if (!dryRun) return [{ letter, ...verdict }]
    this.#redriven.add(letter.messageId)
    this.#sendable.push({ messageId: letter.messageId, sentAt: letter.sentAt, hook: verdict.hook })
    return []
  }

  #stay({ messageId, sentAt }: Letter, fault: Fault & { readonly hook?: HookName }): [] {
    this.#stays.set(messageId, { messageId, sentAt, ...fault })
    return []
  }

  /** @returns the letters that were sent */
  async #send(outgoing: readonly Outgoing[]): Promise<Letter[]> {
    for (const [hook, target] of this.#run.targets) {
      const some = outgoing.filter((one) => one.hook === hook)
      const results = await target.send(some.map(({ body }) => body))
      some.forEach(({ letter }, i) => {
        const result = results[i]!
        if ('code' in result) this.#stay(letter, { hook, code: result.code, why: 'SQS refused the message' })
        else {
          this.#sent.add(letter.messageId)
          this.#run.sentAs.add(result.messageId)
        }
      })
    }
    return outgoing.map(({ letter }) => letter).filter(({ messageId }) => this.#sent.has(messageId))
  }

  async #remove(letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return
    const codes = await this.#source.queue.remove(letters.map(({ receipt }) => receipt))
    letters.forEach((letter, i) => {
      const code = codes[i]
      if (code !== undefined) this.#stay(letter, { code: 'not-deleted', why: `it was sent, but SQS did not delete it (${code})` })
      else this.#gone(letter)
    })
  }

  #gone({ messageId }: Letter): void {
    this.#held.delete(messageId)
    this.#stays.delete(messageId)
    this.#redriven.add(messageId)
  }
}

const oldestFirst = (a: { readonly sentAt: number }, b: { readonly sentAt: number }): number => a.sentAt - b.sentAt

const CAME_BACK: Verdict = {
  code: 'came-back',
  why: 'this run has sent it and it failed again: the log of its function says why',
}

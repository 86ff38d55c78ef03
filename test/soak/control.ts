/** What the local run answers under `/local`: its queues and functions, and what it has done on purpose. */
import { setTimeout as pause } from 'node:timers/promises'
import { DEFAULT_STACK } from '../../cli/dead-letters/aws-names.ts'
import { queuesListed } from '../../cli/dead-letters/backend-queues.ts'
import { redrive } from '../../cli/dead-letters/redrive.ts'
import { sqsClient } from '../../cli/dead-letters/sqs-client.ts'
import { queueUrls } from '../../cli/dead-letters/sqs-queue.ts'

export interface QueueDepth {
  readonly name: string
  readonly waiting: number
  readonly inFlight: number
  readonly deadLetters: number
}

export type MisbehaviourCounts = Record<string, number>

/** The queue of message.publish (lib/construct-ids.ts). */
export const PUBLISH_QUEUE = 'MessagePublish'
const POLL_MS = 100
/** An event that causes another leaves its own queue first. */
const CALM_POLLS = 3

export class Control {
  readonly #url: string
  readonly #dataUrl: string

  constructor(dataUrl: string) {
    this.#url = `${dataUrl}/local`
    this.#dataUrl = dataUrl
  }

  async queues(): Promise<QueueDepth[]> {
    const { queues } = (await this.#ask('GET', '/queues')) as { queues: (Omit<QueueDepth, 'deadLetters'> & { deadLetters: unknown[] })[] }
    return queues.map(({ name, waiting, inFlight, deadLetters }) => ({ name, waiting, inFlight, deadLetters: deadLetters.length }))
  }

  /** Events that are neither handled nor dead letters. */
  async depth(): Promise<number> {
    return (await this.queues()).reduce((sum, { waiting, inFlight }) => sum + waiting + inFlight, 0)
  }

  /** `tell` gets the depth again and again. */
  async idle(signal: AbortSignal, tell: (depth: number) => void = () => undefined): Promise<void> {
    for (let calm = 0; calm < CALM_POLLS; ) {
      const depth = await this.depth()
      tell(depth)
      calm = depth === 0 ? calm + 1 : 0
      await pause(POLL_MS, undefined, { signal })
    }
  }

  /** Events that are not handled yet: publishes, and who connects, subscribes and goes. */
  async unhandled(): Promise<{ publishes: number; lifecycle: number }> {
    const unhandled = { publishes: 0, lifecycle: 0 }
    for (const { name, waiting, inFlight } of await this.queues())
      unhandled[name.startsWith(PUBLISH_QUEUE) ? 'publishes' : 'lifecycle'] += waiting + inFlight
    return unhandled
  }

  /** Every publish so far is handled, or a dead letter. `tell` as for {@link idle}. */
  async published(signal: AbortSignal, tell: (depth: number) => void): Promise<void> {
    for (let depth = 1; depth > 0; await pause(POLL_MS, undefined, { signal })) {
      depth = (await this.unhandled()).publishes
      tell(depth)
    }
  }

  /** As `npm run redrive` does it. How many dead letters and rule errors went back. */
  async redrive(): Promise<number> {
    const client = sqsClient({ endpoint: this.#dataUrl, region: 'us-west-2' })
    try {
      const reports = await redrive(client, queuesListed(await queueUrls(client, `${DEFAULT_STACK}-`), DEFAULT_STACK))
      for (const { failure } of reports) if (failure !== undefined) throw failure
      return reports.reduce((sum, { redriven }) => sum + redriven, 0)
    } finally {
      client.destroy()
    }
  }

  /** Names of the functions that are in the middle of an invocation. */
  async busyFunctions(): Promise<string[]> {
    const { functions } = (await this.#ask('GET', '/functions')) as { functions: { name: string; running: number }[] }
    return functions.filter(({ running }) => running > 0).map(({ name }) => name)
  }

  /** How many invocations that cut short. */
  async kill(name: string): Promise<number> {
    return (await this.#ask('POST', `/functions/${name}/kill`)).interrupted as number
  }

  async misbehaviour(): Promise<MisbehaviourCounts> {
    return (await this.#ask('GET', '/misbehaviour')) as MisbehaviourCounts
  }

  async #ask(method: string, path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#url}${path}`, { method })
    if (!response.ok) throw new Error(`${method} /local${path}: ${response.status}`)
    return (await response.json()) as Record<string, unknown>
  }
}

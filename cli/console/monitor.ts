/** Looks at the run every two seconds while somebody looks at the overview, and remembers the last five minutes. */
import { type LocalRunState, localRunState } from '../operate/local-run.ts'

export interface Sample {
  /** Milliseconds. */
  readonly at: number
  readonly connected: number
  /** A second, since the sample before. */
  readonly publishes: number
  readonly deliveries: number
  readonly failures: number
  /** Events that no function has handled yet. */
  readonly backlog: number
}

const EVERY_MS = 2_000
const KEPT = 150
/** After so long without a request nobody looks any more. */
const WATCHED_MS = 60_000

export class Monitor {
  readonly samples: Sample[] = []
  readonly #dataUrl: string
  #last: { readonly at: number; readonly state: LocalRunState } | undefined
  #looking: Promise<LocalRunState> | undefined
  #askedAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(dataUrl: string) {
    this.#dataUrl = dataUrl
  }

  /** The run's state, not older than two seconds. @throws BackendError `unreachable` */
  async state(): Promise<LocalRunState> {
    this.#askedAt = Date.now()
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS).unref()
    if (this.#last !== undefined && Date.now() - this.#last.at < EVERY_MS) return this.#last.state
    return await this.#look()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    // The page that asks next shows the error.
    if (Date.now() - this.#askedAt < WATCHED_MS) this.#look().catch(() => undefined)
    else this.close()
  }

  #look(): Promise<LocalRunState> {
    this.#looking ??= localRunState(this.#dataUrl)
      .then((state) => this.#note(state))
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  #note(state: LocalRunState): LocalRunState {
    const at = Date.now()
    const before = this.#last
    this.#last = { at, state }
    if (before === undefined) return state
    const perSecond = (count: (state: LocalRunState) => number) =>
      Math.max(0, ((count(state) - count(before.state)) * 1000) / Math.max(1, at - before.at))
    this.samples.push({
      at,
      connected: state.connected,
      publishes: perSecond(({ published }) => published),
      deliveries: perSecond(({ delivered }) => delivered),
      failures: perSecond(({ failed }) => failed),
      backlog: state.queues.reduce((total, { waiting, inFlight }) => total + waiting + inFlight, 0),
    })
    if (this.samples.length > KEPT) this.samples.shift()
    return state
  }
}

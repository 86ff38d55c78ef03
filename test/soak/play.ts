/** The eventful part of a soak: everybody comes, publishes, flaps and is killed; then all is calm again. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Progress } from '../../cli/command-line/progress.ts'
import { orAborted } from './abort.ts'
import { type Cast, castOf } from './cast.ts'
import { type Dice, dice } from './dice.ts'
import { type FlapCounts, flap } from './flapping.ts'
import { havoc } from './havoc.ts'
import { type Published, publishAll } from './publishing.ts'
import { SoakClient } from './soak-client.ts'
import type { SoakOptions } from './soak-flags.ts'
import { History } from './soak-history.ts'
import { Stage } from './soak-stage.ts'
import { Tables } from './soak-tables.ts'

export interface Surroundings {
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** What happens to each client has its own dice: none is shifted by what another does. */
const DICE_EACH = 1_000
const REDRIVES = 5
/** Lifecycle events not handled, above which nobody flaps. */
const MOST_LIFECYCLE = 50
/** Publishes not handled, above which nobody publishes: what is handled long after its subscriber has gone tries nothing. */
const MOST_PUBLISHES = 25
const WATCH_MS = 100

export class Play {
  readonly options: SoakOptions
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly cast: Cast
  readonly history = new History()
  readonly stage: Stage
  readonly published: Published = { messages: new Map(), retained: new Map(), deletes: 0, began: new Map() }
  readonly flaps: FlapCounts = { 'clean disconnect': 0, 'network cut': 0, 'half open': 0, 'take-over': 0, unsubscribe: 0 }
  readonly havoc = { kills: 0, interrupted: 0 }
  clients: SoakClient[] = []
  publishSeconds = 0
  #tables: Tables | undefined
  #unhandled = { publishes: 0, lifecycle: 0 }

  constructor(options: SoakOptions, { progress, signal }: Surroundings) {
    this.options = options
    this.progress = progress
    this.signal = signal
    this.cast = castOf(options, this.#dice(0))
    this.stage = new Stage(options, this.history, this.cast)
  }

  /** Once it has started. */
  get tables(): Tables {
    return this.#tables!
  }

  async start(): Promise<void> {
    this.progress.phase('starting the stack')
    await this.stage.start()
    this.signal.throwIfAborted()
    const { mqtt, dynamodb } = this.stage.urls
    this.#tables = new Tables(dynamodb)
    const rows = this.cast.roles.flatMap(({ clientid, operatorFilters }) => operatorFilters.map((topic) => ({ clientid, topic })))
    for (const { clientid, topic } of rows) await this.#tables.subscribe(clientid, topic)
    this.clients = this.cast.roles.map((role) => new SoakClient(mqtt, role))
    await Promise.all(this.clients.map((client) => client.connect(this.signal)))
  }

  /** Faults go on until what was published is handled. */
  async misbehave(): Promise<void> {
    const { stage, signal } = this
    const watching = watch(async () => {
      this.#unhandled = await stage.control.unhandled()
    })
    let over = false
    const part = { counts: this.flaps, stopped: () => over, mayFlap: () => this.#unhandled.lifecycle < MOST_LIFECYCLE, signal }
    const flapping = this.clients.filter(({ role }) => role.flaps).map((client, i) => flap(client, { ...part, dice: this.#dice(10 + i) }))
    try {
      await this.#publish()
      this.progress.phase('handling what is published')
      await stage.control.published(signal, (depth) => this.progress.at(depth))
    } finally {
      over = true
      await Promise.allSettled([watching.stop(), ...flapping])
    }
  }

  async calm(): Promise<void> {
    this.progress.phase('no more faults; draining the queues')
    await this.stage.calm()
    await orAborted(Promise.all(this.clients.map((client) => client.connectedAgain())), this.signal)
    await this.idle()
  }

  /** Dead letters there were, and how many were sent once more. */
  async redrive(): Promise<{ deadLettersBeforeRedrive: number; redriven: number }> {
    this.progress.phase('redriving dead letters')
    const queues = await this.stage.control.queues()
    const deadLettersBeforeRedrive = queues.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
    let redriven = 0
    for (let round = 0; round < REDRIVES; round++) {
      const sent = await this.stage.control.redrive()
      if (sent === 0) break
      redriven += sent
      await this.idle()
    }
    return { deadLettersBeforeRedrive, redriven }
  }

  async idle(): Promise<void> {
    await this.stage.control.idle(this.signal, (depth) => this.progress.at(depth))
  }

  async close(how: { keepData: boolean }): Promise<void> {
    this.#tables?.close()
    for (const client of this.clients) client.end()
    await this.stage.close(how)
  }

  async #publish(): Promise<void> {
    const { cast, clients, published, signal, stage } = this
    const { publishes: count, kills, restarts } = this.options
    this.progress.phase('publishing', count)
    const started = performance.now()
    const telling = setInterval(() => this.progress.at(published.messages.size), 100)
    const mayPublish = () => this.#unhandled.publishes < MOST_PUBLISHES
    const spread = { publishes: count, published: () => published.messages.size }
    try {
      await Promise.all([
        publishAll({ count, cast, clients, dice: this.#dice(2), published, mayPublish, signal }),
        havoc({ stage, dice: this.#dice(1), counts: this.havoc, kills, restarts, ...spread, signal }),
      ])
    } finally {
      clearInterval(telling)
    }
    this.publishSeconds = (performance.now() - started) / 1000
  }

  #dice(stream: number): Dice {
    return dice((this.options.seed * DICE_EACH + stream) >>> 0)
  }
}

/** Looks again and again; a stack that is being restarted is looked at later. */
function watch(look: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false
  const watching = (async () => {
    while (!stopped) {
      await look().catch(() => undefined)
      await pause(WATCH_MS)
    }
  })()
  return {
    stop() {
      stopped = true
      return watching
    },
  }
}

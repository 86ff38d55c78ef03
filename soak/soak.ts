/** A soak from beginning to end: havoc, calm, redrive, last subscribers, account. */
import { orAborted } from './abort.ts'
import { accountFor, presenceViolations, retainedViolations, type Violation } from './accounting.ts'
import { type Cast, castOf, type Role } from './cast.ts'
import type { SoakOptions } from './command-line.ts'
import { dice } from './dice.ts'
import { type FlapCounts, flap } from './flapping.ts'
import { havoc } from './havoc.ts'
import { History } from './history.ts'
import type { Progress } from './progress.ts'
import { type Published, publishAll } from './publishing.ts'
import type { SoakReport } from './report.ts'
import { SoakClient } from './soak-client.ts'
import { Stage } from './stage.ts'
import { Tables } from './tables.ts'

/** What happens to each client has its own dice: none is shifted by what another does. */
const SEEDS_EACH = 1_000
/** Topics of one last subscriber: IoT Core gives a client 100 messages a second. */
const TOPICS_OF_LAST = 10
const REDRIVES = 5

interface Surroundings {
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Rejects with the signal's reason, or where something stands in the way of a result. */
export async function soak(options: SoakOptions, surroundings: Surroundings): Promise<SoakReport> {
  const history = new History()
  const stage = new Stage(options, history)
  const run = new Soak(options, stage, history, surroundings)
  let report: SoakReport | undefined
  try {
    report = await run.play()
    return report
  } finally {
    await run.close({ keepData: report !== undefined && report.violations.length > 0 })
  }
}

class Soak {
  readonly #options: SoakOptions
  readonly #stage: Stage
  readonly #history: History
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #cast: Cast
  readonly #published: Published = { messages: new Map(), retained: new Map(), deletes: 0 }
  readonly #flaps: FlapCounts = { 'clean disconnect': 0, 'network cut': 0, 'half open': 0, 'take-over': 0, unsubscribe: 0 }
  readonly #havoc = { kills: 0, interrupted: 0 }
  #publishSeconds = 0
  #clients: SoakClient[] = []
  #last: SoakClient[] = []
  #tables: Tables | undefined

  constructor(options: SoakOptions, stage: Stage, history: History, { progress, signal }: Surroundings) {
    this.#options = options
    this.#stage = stage
    this.#history = history
    this.#progress = progress
    this.#signal = signal
    this.#cast = castOf(options, this.#dice(0))
  }

  async play(): Promise<SoakReport> {
    const started = performance.now()
    await this.#start()
    await this.#misbehave()
    await this.#calm()
    const { deadLettersBeforeRedrive, redriven } = await this.#redrive()
    const presence = await this.#presence()
    const pendingBeforeLast = await this.#lastSubscribers()
    const account = await this.#account()
    const violations = [...account.violations, ...presence, ...(await this.#retained()), ...(await this.#undrained())]
    const concerned = [...new Set(violations.flatMap(({ messages }) => messages))]
    return {
      ...account,
      violations,
      options: this.#options,
      publishSeconds: this.#publishSeconds,
      seconds: (performance.now() - started) / 1000,
      ...this.#havoc,
      restarts: this.#stage.restarts,
      flaps: this.#flaps,
      misbehaviours: this.#stage.misbehaviours,
      retainedDeletes: this.#published.deletes,
      redriven,
      pendingBeforeLast,
      deadLettersBeforeRedrive,
      histories: Object.fromEntries(concerned.map((n) => [n, this.#history.of(n)])),
      ...(violations.length > 0 ? { dataDir: this.#stage.dataDir } : {}),
    }
  }

  async close(how: { keepData: boolean }): Promise<void> {
    this.#tables?.close()
    for (const client of [...this.#clients, ...this.#last]) client.end()
    await this.#stage.close(how)
  }

  async #start(): Promise<void> {
    this.#progress.phase('starting the stack')
    await this.#stage.start()
    this.#signal.throwIfAborted()
    const { mqtt, dynamodb } = this.#stage.urls
    this.#tables = new Tables(dynamodb)
    const rows = this.#cast.roles.flatMap(({ clientid, operatorFilters }) => operatorFilters.map((topic) => ({ clientid, topic })))
    for (const { clientid, topic } of rows) await this.#tables.subscribe(clientid, topic)
    this.#clients = this.#cast.roles.map((role) => new SoakClient(mqtt, role))
    await Promise.all(this.#clients.map((client) => client.connect(this.#signal)))
  }

  async #misbehave(): Promise<void> {
    const publishing = performance.now()
    const { publishes: count, kills, restarts } = this.#options
    const [signal, published] = [this.#signal, this.#published]
    this.#progress.phase('publishing', count)
    let over = false
    const flapping = this.#clients
      .filter(({ role }) => role.flaps)
      .map((client, i) => flap(client, { dice: this.#dice(10 + i), counts: this.#flaps, stopped: () => over, signal }))
    const telling = setInterval(() => this.#progress.at(published.messages.size), 100)
    const played = { stage: this.#stage, dice: this.#dice(1), counts: this.#havoc, published: () => published.messages.size }
    try {
      await Promise.all([
        publishAll({ count, cast: this.#cast, clients: this.#clients, dice: this.#dice(2), published, signal }),
        havoc({ ...played, kills, restarts, publishes: count, signal }),
      ])
      this.#publishSeconds = (performance.now() - publishing) / 1000
      clearInterval(telling)
      this.#progress.phase('handling what is published')
      await this.#stage.control.published(signal, (depth) => this.#progress.at(depth))
    } finally {
      over = true
      clearInterval(telling)
      await Promise.allSettled(flapping)
    }
  }

  async #calm(): Promise<void> {
    this.#progress.phase('no more faults; draining the queues')
    await this.#stage.calm()
    await orAborted(Promise.all(this.#clients.map((client) => client.connectedAgain())), this.#signal)
    await this.#idle()
  }

  async #redrive(): Promise<{ deadLettersBeforeRedrive: number; redriven: number }> {
    this.#progress.phase('redriving dead letters')
    const queues = await this.#stage.control.queues()
    const deadLettersBeforeRedrive = queues.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
    let redriven = 0
    for (let round = 0; round < REDRIVES; round++) {
      const sent = await this.#stage.control.redrive()
      if (sent === 0) break
      redriven += sent
      await this.#idle()
    }
    return { deadLettersBeforeRedrive, redriven }
  }

  /** Some stay, some say goodbye, some are cut off. */
  async #presence(): Promise<Violation[]> {
    this.#progress.phase('asking who is connected')
    await Promise.all(this.#clients.map((client, i) => (i % 3 === 0 ? client.leave() : i % 3 === 1 ? client.end() : undefined)))
    await this.#idle()
    const truth = new Map(this.#clients.map((client) => [client.role.clientid, client.connected]))
    return presenceViolations({ truth, shown: await this.#tables!.presence() })
  }

  /** How many messages waited for them. */
  async #lastSubscribers(): Promise<number> {
    await Promise.all(this.#clients.map((client) => client.leave()))
    await this.#idle()
    const waiting = (await this.#tables!.stored()).length
    this.#progress.phase('last subscribers', waiting)
    const { topics } = this.#cast
    const groups = Array.from({ length: Math.ceil(topics.length / TOPICS_OF_LAST) }, (_, i) =>
      topics.slice(i * TOPICS_OF_LAST, (i + 1) * TOPICS_OF_LAST),
    )
    this.#last = groups.map((filters, i) => new SoakClient(this.#stage.urls.mqtt, lastRole(i, filters)))
    const got = () => this.#last.reduce((sum, { book }) => sum + book.receipts.size, 0)
    await Promise.all(this.#last.map((client) => client.connect(this.#signal)))
    await Promise.all(this.#last.map((client) => client.subscribe()))
    await this.#stage.control.idle(this.#signal, () => this.#progress.at(got()))
    return waiting
  }

  async #account() {
    this.#progress.phase('accounting')
    this.#stage.readHistory()
    const tables = this.#tables!
    const [stored, named, acked] = await Promise.all([tables.stored(), tables.named(), tables.acked()])
    const members = [...this.#clients, ...this.#last].map(({ role, book: { receipts } }) => ({ role, receipts }))
    const { numbers } = this.#history
    return accountFor({
      published: this.#published.messages,
      members,
      stored,
      named,
      acked,
      numbers,
      deadLetters: this.#history.deadLetters(),
    })
  }

  async #retained(): Promise<Violation[]> {
    return retainedViolations({ truth: this.#published.retained, shown: await this.#tables!.retained() })
  }

  /** With every message accounted for as pending, a last subscriber that got none of them would pass. */
  async #undrained(): Promise<Violation[]> {
    const stored = await this.#tables!.stored()
    const names = new Set((await this.#tables!.named()).map(({ msgid }) => msgid))
    const left = stored.filter(({ msgid, number }) => number !== undefined && names.has(msgid))
    return left.map(({ number, topic }) => {
      const what = `message ${number} of ${topic} is pending, but the topic's last subscriber did not get it or it was not acknowledged`
      return { invariant: 'I2', what, messages: [number!], clients: [] }
    })
  }

  async #idle(): Promise<void> {
    await this.#stage.control.idle(this.#signal, (depth) => this.#progress.at(depth))
  }

  #dice(stream: number) {
    return dice((this.#options.seed * SEEDS_EACH + stream) >>> 0)
  }
}

const lastRole = (i: number, filters: readonly string[]): Role => ({
  clientid: `soak-last-${i}`,
  kind: 'exact',
  protocol: 5,
  filters,
  operatorFilters: [],
  flaps: false,
})

/**
 * 500 honest clients with 50 mute ones among them, and without, in turns, on one local run: handlers, broker and queues as `npm start` has
 * them. The load is far below what the machine can do, so a wait is for somebody, not for a core.
 */
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import mqtt, { type MqttClient } from 'mqtt'
import { honestClients, type Member, membersOf, muteClient, writeOperatorRows } from './fleet-clients.ts'
import { median } from './interleaved.ts'
import { type LocalRun, localRun } from './local-run.ts'
import { type Block, type BlockOptions, beside, countText, type Figure, timesAtMost } from './report.ts'

const MOST = 2
/** Milliseconds. */
const PACE = 80
const POLL = 5
const PATIENCE = 60_000

interface Size {
  readonly honest: number
  readonly mute: number
  /** How long one side publishes, and how long the mute clients take to arrive. Milliseconds. */
  readonly lasts: number
  readonly arrive: number
  readonly rounds: number
}
const WHOLE: Size = { honest: 500, mute: 50, lasts: 30_000, arrive: 10_000, rounds: 3 }
const QUICK: Size = { honest: 20, mute: 5, lasts: 3_000, arrive: 500, rounds: 1 }

const WAITS = ['durable', 'operator', 'stored'] as const
type Wait = (typeof WAITS)[number]
type Waits = Record<Wait, number[]>
const nothing = (): Waits => ({ durable: [], operator: [], stored: [] })

interface Stage {
  readonly size: Size
  readonly run: LocalRun
  readonly publisher: MqttClient
  readonly honest: readonly Member[]
  readonly mute: readonly Member[]
  /** Payload -> when it was published, of messages that are on their way. Milliseconds. */
  readonly underWay: Map<string, number>
  /** Where the waits of the messages that come in now belong. */
  waits: Waits
  sent: number
}

export const fleet: Block = async (options) => {
  const size = options.quick ? QUICK : WHOLE
  const run = await localRun()
  try {
    return await onStage(run, size, options)
  } finally {
    await run.stop()
  }
}

async function onStage(run: LocalRun, size: Size, { progress }: BlockOptions): Promise<Figure[]> {
  const honest = membersOf('honest', size.honest, 5)
  const mute = membersOf('mute', size.mute, 2)
  await writeOperatorRows(run.client, [...honest, ...mute])
  const publisher = await mqtt.connectAsync(run.mqtt, { clientId: 'publisher', protocolVersion: 5, reconnectPeriod: 0 })
  const stage: Stage = { size, run, publisher, honest, mute, underWay: new Map(), waits: nothing(), sent: 0 }
  const clients = await honestClients(run.mqtt, honest, (text) => arrived(stage, text))
  progress(`${countText(size.honest)} honest clients are subscribed`)
  for (const { topic } of mute) await publisher.publishAsync(topic, 'before', { qos: 1 })
  // What the machine does the first time is in neither side.
  await publishFor(stage, size.lasts / 5)
  const without: Waits[] = []
  const withMute: Waits[] = []
  for (let round = 0; round < size.rounds; round++) {
    without.push(await waitsOf(stage, () => publishFor(stage, size.lasts)))
    progress(`without mute clients: ${told(without.at(-1)!)}`)
    withMute.push(await waitsOf(stage, () => Promise.all([publishFor(stage, size.lasts), muteFor(stage)])))
    progress(`with ${size.mute} of them: ${told(withMute.at(-1)!)}`)
  }
  await Promise.all([publisher, ...clients].map((client) => client.endAsync()))
  return WAITS.flatMap((wait) => figuresOf(size, wait, { without, withMute }))
}

async function waitsOf(stage: Stage, work: () => Promise<unknown>): Promise<Waits> {
  stage.waits = nothing()
  await work()
  return stage.waits
}

function arrived({ underWay, waits, honest }: Stage, text: string): void {
  const at = underWay.get(text)
  if (at === undefined) return
  underWay.delete(text)
  waits[honest[Number(text.split(' ')[0])]!.kind].push(performance.now() - at)
}

/** Publishes at a steady pace to the clients in turn, mute ones too, and probes how soon a publish is stored. */
async function publishFor(stage: Stage, lasts: number): Promise<void> {
  const { publisher, honest, mute, underWay } = stage
  const stored: Promise<void>[] = []
  const until = performance.now() + lasts
  for (let next = performance.now(); next < until; next += PACE) {
    await pause(next - performance.now())
    const n = stage.sent++
    const i = ofTurn(stage, n)
    const text = `${i} ${n}`.padEnd(100, '.')
    underWay.set(text, performance.now())
    publisher.publish(honest[i]!.topic, text, { qos: 1 })
    if (n % 5 === 0) publisher.publish(mute[(n / 5) % mute.length]!.topic, text, { qos: 1 })
    if (n % 5 === 1) stored.push(storing(stage, `fleet/stored/${n}`))
  }
  await Promise.all(stored)
  const deadline = performance.now() + PATIENCE
  while (underWay.size > 0) {
    if (performance.now() > deadline)
      throw new Error(`${underWay.size} messages to honest clients did not come within ${PATIENCE / 1000} s`)
    await pause(POLL)
  }
}

/** The durable clients and the others alternate: 7 has no divisor in common with their numbers, so all of them have their turn. */
function ofTurn({ honest }: Stage, n: number): number {
  const kind = n % 2 === 0 ? 'durable' : 'operator'
  const places = honest.flatMap((member, i) => (member.kind === kind ? [i] : []))
  return places[(Math.floor(n / 2) * 7) % places.length]!
}

/** Until the topic's row names the message, which is written after it. */
async function storing({ run, publisher, waits }: Stage, topic: string): Promise<void> {
  const at = performance.now()
  publisher.publish(topic, '.'.repeat(100), { qos: 1 })
  while (!(await isNamed(run.client, topic))) {
    if (performance.now() > at + PATIENCE) throw new Error(`a publish on ${topic} is not stored after ${PATIENCE / 1000} s`)
    await pause(POLL)
  }
  waits.stored.push(performance.now() - at)
}

async function isNamed(client: DynamoDBClient, topic: string): Promise<boolean> {
  const { Item } = await client.send(new GetItemCommand({ TableName: 'mqtt_topic_msg_map', Key: { topic: { S: topic } } }))
  return Item?.MsgId !== undefined
}

/** They come one after the other, no faster than Lambda adds invocations (docs/scale.md), and stay. */
async function muteFor({ size, run, mute }: Stage): Promise<void> {
  const began = performance.now()
  const clients = await Promise.all(
    mute.map(async (member, i) => {
      await pause((size.arrive * i) / mute.length)
      return muteClient(run.mqtt, member)
    }),
  )
  await pause(began + size.lasts - performance.now())
  const silent = clients.filter(({ got }) => got === 0).length
  if (silent > 0) throw new Error(`${silent} of ${mute.length} mute clients were sent nothing, wanted each to be waited for`)
  await Promise.all(clients.map((client) => client.end()))
}

const NAMES: Readonly<Record<Wait, string>> = {
  durable: 'publish to received, durable subscription',
  operator: "publish to received, operator's row",
  stored: 'publish to stored',
}

interface Rounds {
  readonly without: readonly Waits[]
  readonly withMute: readonly Waits[]
}

/** Medians of the rounds. */
function figuresOf({ honest, mute }: Size, wait: Wait, { without, withMute }: Rounds): Figure[] {
  const side = (share: number) => {
    const among = (rounds: readonly Waits[]) => median(rounds.map((waits) => part(waits[wait], share)))
    return { ...beside('without them', among(without), among(withMute)), unit: 'ms' }
  }
  const p99 = side(0.99)
  const where = `${mute} mute among ${countText(honest)} honest clients`
  return [
    { name: `${NAMES[wait]}, p50, ${where}`, ...side(0.5) },
    { name: `${NAMES[wait]}, p99, ${where}`, ...p99, ...timesAtMost(MOST, p99.ratio), against: `at most ${MOST} x; without them` },
  ]
}

const told = (waits: Waits): string =>
  WAITS.map(
    (wait) =>
      `${wait} ${part(waits[wait], 0.5).toFixed(0)} / ${part(waits[wait], 0.99).toFixed(0)} ms (p50 / p99 of ${waits[wait].length})`,
  ).join(', ')

/** The smallest value that the share does not exceed. */
const part = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)))

/**
 * What the handlers add to the requests that they make: CPU of this process and time of each invocation, DynamoDB as near as it can be,
 * against the same requests with no logic. Everything else is in another process. Rounds alternate.
 */
import type { SqsRecord } from '../lambda/adapters/lambda.ts'
import { startCloud } from './cloud.ts'
import { ALONE, BATCHED, type CpuCase, cpuCases } from './cpu-cases.ts'
import { type Clients, clientsOf, type Handlers, handlersOn } from './handlers.ts'
import { median } from './line-fit.ts'
import { onTables, recorded, replay, requestsIn, type Waves } from './raw-requests.ts'
import { atMost, type Block, type Figure } from './report.ts'
import { createTables, rowsIn, type Tables } from './six-tables.ts'

const MOST_LATENCY = 1.1
const MOST_CPU = 1.15
/** Rounds that are not counted. */
const WARM_UP = 1

/** Microseconds of CPU an event, milliseconds an invocation (median). */
interface Taken {
  readonly cpu: number
  readonly latency: number
}

interface Measured {
  readonly name: string
  readonly keepsFloor: boolean
  /** Of the SDK, an event. */
  readonly requests: number
  readonly ours: Taken
  readonly floor: Taken
}

export const cpu: Block = async ({ quick, progress }) => {
  const rounds = quick ? 2 : 11
  const cloud = await startCloud()
  const clients = clientsOf({ dynamodb: cloud.urls.engine, iot: cloud.urls.devices })
  try {
    const measured: Measured[] = []
    for (const [i, one] of cpuCases(quick ? 100 : 300).entries()) {
      measured.push(await measure(one, clients, `c${i}`, rounds))
      progress(`${one.name}: ${rounds} rounds`)
    }
    return [...measured.filter(({ keepsFloor }) => keepsFloor).flatMap(overFloor), ...batching(measured)]
  } finally {
    clients.dynamodb.destroy()
    clients.iot.destroy()
    await cloud.stop()
  }
}

async function measure(one: CpuCase, clients: Clients, prefix: string, rounds: number): Promise<Measured> {
  const batches = batchesOf(one)
  const record = recorded(clients)
  const recordedIn = await placeOf(one, clients, `${prefix}-rec_`)
  const listening = handlersOn({ clients: record.clients, tables: recordedIn.tables, ...rowsOf(one) })
  const invocations: Waves[] = []
  for (const batch of batches) {
    await allHandled(listening, one, batch)
    invocations.push(record.take())
  }
  const requests = invocations.reduce((sum, waves) => sum + requestsIn(waves), 0) / one.events
  const ours: Taken[] = []
  const floor: Taken[] = []
  for (let round = 0; round <= rounds; round++) {
    const place = await placeOf(one, clients, `${prefix}h${round}_`)
    const bare = await placeOf(one, clients, `${prefix}f${round}_`)
    const raw = invocations.map((waves) => onTables(waves, (table) => table.replace(`${prefix}-rec_`, `${prefix}f${round}_`)))
    const handler = async () => ours.push(await taking(one, batches, (batch) => allHandled(place.handlers, one, batch)))
    const requestsAlone = async () => floor.push(await taking(one, raw, (waves) => replay(clients, waves)))
    // Who comes second finds what the first has left to be collected: they take turns.
    for (const work of round % 2 === 0 ? [handler, requestsAlone] : [requestsAlone, handler]) await work()
    await checkSameRows(one, clients, place.tables, bare.tables)
  }
  return {
    name: one.name,
    keepsFloor: one.keepsFloor,
    requests,
    ours: medianOf(ours.slice(WARM_UP)),
    floor: medianOf(floor.slice(WARM_UP)),
  }
}

const rowsOf = ({ rows }: CpuCase) => (rows === undefined ? {} : { rows })

async function placeOf(one: CpuCase, clients: Clients, prefix: string): Promise<{ tables: Tables; handlers: Handlers }> {
  const tables = await createTables(clients.dynamodb, prefix)
  const handlers = handlersOn({ clients, tables, ...rowsOf(one) })
  await one.prepare?.(handlers, one.events)
  return { tables, handlers }
}

function batchesOf({ events, batch, event }: CpuCase): SqsRecord[][] {
  const records = Array.from({ length: events }, (_, n) => ({ messageId: `m${n}`, body: JSON.stringify(event(n)) }))
  return Array.from({ length: events / batch }, (_, i) => records.slice(i * batch, (i + 1) * batch))
}

async function allHandled(handlers: Handlers, { name, hook }: CpuCase, batch: readonly SqsRecord[]): Promise<void> {
  const failed = await handlers.deliver(hook, batch)
  if (failed.length > 0) throw new Error(`${name}: ${failed.length} of ${batch.length} events were not handled`)
}

async function taking<T>(one: CpuCase, all: readonly T[], invoke: (some: T) => Promise<void>): Promise<Taken> {
  const latencies: number[] = []
  const before = process.cpuUsage()
  for (const some of all) {
    const started = performance.now()
    await invoke(some)
    latencies.push(performance.now() - started)
  }
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / one.events, latency: median(latencies) }
}

/** The floor did the same work. */
async function checkSameRows({ name }: CpuCase, { dynamodb }: Clients, ours: Tables, floor: Tables): Promise<void> {
  const [handled, replayed] = [await rowsIn(dynamodb, ours), await rowsIn(dynamodb, floor)]
  if (JSON.stringify(handled) !== JSON.stringify(replayed))
    throw new Error(`${name}: rows after the handler ${JSON.stringify(handled)}, after its requests alone ${JSON.stringify(replayed)}`)
}

const medianOf = (taken: readonly Taken[]): Taken => ({
  cpu: median(taken.map((one) => one.cpu)),
  latency: median(taken.map((one) => one.latency)),
})

function overFloor({ name, requests, ours, floor }: Measured): Figure[] {
  const raw = `the same ${requests.toFixed(1)} raw SDK requests`
  const figure = (what: 'latency' | 'cpu', unit: string, most: number): Figure => {
    const ratio = ours[what] / floor[what]
    const { against, reached } = atMost(most, ratio)
    return {
      name: `${what === 'cpu' ? 'CPU' : 'latency'} of ${name}`,
      value: ours[what],
      unit,
      ratio,
      floor: floor[what],
      against: `${against} x ${raw}`,
      reached,
    }
  }
  return [figure('latency', 'ms', MOST_LATENCY), figure('cpu', 'µs', MOST_CPU)]
}

/** 100 publishes on different topics in one batch against one in each. */
function batching(measured: readonly Measured[]): Figure[] {
  const [alone, batched] = [ALONE, BATCHED].map((name) => measured.find((one) => one.name === name)!)
  const ratio = batched!.ours.cpu / alone!.ours.cpu
  const { against, reached } = atMost(0.5, ratio)
  const raw = batched!.floor.cpu / alone!.floor.cpu
  return [
    {
      name: `CPU a message: ${BATCHED}`,
      value: batched!.ours.cpu,
      unit: 'µs',
      ratio,
      floor: alone!.ours.cpu,
      against: `${against} x one by one`,
      reached,
    },
    {
      name: 'the same of the raw SDK requests alone',
      value: batched!.floor.cpu,
      unit: 'µs',
      ratio: raw,
      floor: alone!.floor.cpu,
      against: 'one by one',
    },
    { name: `requests a message: ${BATCHED}`, value: batched!.requests, unit: '', ...atMost(1.1, batched!.requests) },
  ]
}

/** One case's handler and its floor, in rounds that take turns, on this process's CPU. */
import type { SqsRecord } from '../lambda/adapters/function/handler.ts'
import type { CpuCase } from './cpu-cases.ts'
import { type Clients, type Handlers, handlersOn } from './handlers.ts'
import { median } from './line-fit.ts'
import { onTables, recorded, replay, requestsIn, type Waves } from './raw-requests.ts'
import { createTables, rowsIn, type Tables } from './six-tables.ts'

/** Rounds that are not counted: V8 has not compiled what is hot before. */
const WARM_UP = 5

/** Microseconds of CPU an event, milliseconds an invocation (median). */
interface Taken {
  readonly cpu: number
  readonly latency: number
}

export interface Measured {
  readonly name: string
  readonly keepsFloor: boolean
  /** Of the SDK, an event. */
  readonly requests: number
  readonly ours: Taken
  readonly floor: Taken
}

/** `prefix`: of tables that nobody else has. @throws where the handler's work was not done, or the floor's is other work */
export async function measure(one: CpuCase, clients: Clients, prefix: string, rounds: number): Promise<Measured> {
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
  for (let round = 0; round < WARM_UP + rounds; round++) {
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

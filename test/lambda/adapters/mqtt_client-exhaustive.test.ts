/**
 * I6, exhaustively: the real store's conditional writes, for every order and any number of repetitions of the events of up to four
 * connections, and every moment at which a handler may stop between its writes. Explored as a graph: what follows depends only on
 * the row and on what has been heard, so that each state is visited once, whatever way leads there.
 *
 * @slow
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Database } from '../../../lambda/adapters/tables/dynamodb.ts'
import { clientTable } from '../../../lambda/adapters/tables/mqtt_client.ts'
import { ConditionFailed, type ItemOperation, type ItemRequest, MapDynamoDb } from '../../simulation/dynamodb.ts'
import type { Row } from '../../simulation/rows.ts'
import { eventsOf, type PresenceEvent, truthOf } from '../../support/presence-timelines.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Stay {
  readonly version: number
  readonly from: number
  readonly to?: number
}

/** How a connection follows the one before it. Milliseconds from its end, and what becomes of the version. */
const SUCCESSIONS = {
  'takes over within the millisecond': { gap: 0, version: (v: number) => v + 1 },
  'takes over, and the old one ends a moment later': { gap: -1, version: (v: number) => v + 1 },
  'a second later, versions skip': { gap: 1_000, version: (v: number) => v + 3 },
  'just below the horizon': { gap: 29 * MINUTE, version: (v: number) => v + 1 },
  'hours later, the session kept its version': { gap: 5 * HOUR, version: (v: number) => v + 1 },
  'after the reset': { gap: HOUR + MINUTE, version: () => 0 },
} as const
type Succession = keyof typeof SUCCESSIONS
const NAMES = Object.keys(SUCCESSIONS) as Succession[]
const LASTS = [0, MINUTE, 3 * HOUR]
/** Of four connections, for time's sake. */
const LASTS_OF_MANY = [0, 3 * HOUR]

const chains = (length: number): Succession[][] =>
  length === 0 ? [[]] : chains(length - 1).flatMap((chain) => NAMES.map((name) => [...chain, name]))

function timeline(chain: readonly Succession[], lasts: number, open: boolean): Stay[] {
  const stays: { version: number; from: number; to: number }[] = [{ version: 7, from: 0, to: lasts }]
  for (const name of chain) {
    const { version, to } = stays.at(-1)!
    const from = Math.max(0, to + SUCCESSIONS[name].gap)
    stays.push({ version: SUCCESSIONS[name].version(version), from, to: from + lasts })
  }
  return stays.map(({ to, ...stay }, i) => (open && i === stays.length - 1 ? stay : { ...stay, to }))
}

interface Write {
  readonly command: string
  readonly request: ItemRequest
}

/** What the handler of an event writes, one after the other until one is not refused. They depend on the event alone. */
async function writesOf({ kind, event }: PresenceEvent): Promise<Write[]> {
  const writes: Write[] = []
  const client = {
    async send(command: { input: ItemRequest }) {
      writes.push({ command: command.constructor.name, request: command.input })
      throw new ConditionalCheckFailedException({ message: 'refused', $metadata: {} })
    },
  } as unknown as DynamoDBClient
  const db = { client, tables: { mqtt_client: 'mqtt_client' } } as unknown as Database
  const table = clientTable(db, 'aws-iot@us-west-2')
  await (kind === 'connected' ? table.connected(event) : table.disconnected(event))
  return writes
}

/** `undefined`: its condition does not hold. */
function written(row: string, { command, request }: Write): string | undefined {
  const dynamodb = new MapDynamoDb()
  if (row !== '') dynamodb.perform('PutItem', { TableName: 'mqtt_client', Item: JSON.parse(row) as Row })
  try {
    dynamodb.perform(command.replace('Command', '') as ItemOperation, request)
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined
    throw error
  }
  const [after] = dynamodb.rows('mqtt_client')
  return JSON.stringify(Object.fromEntries(Object.entries(after!).sort(([a], [b]) => (a < b ? -1 : 1))))
}

const REFUSED = -1

/** Every row that is there once all events have been handled, in whatever order. */
async function explore(events: readonly PresenceEvent[]): Promise<Set<string>> {
  const writes = await Promise.all(events.map(writesOf))
  const rows: string[] = ['']
  const numberOf = (row: string) => (rows.includes(row) ? rows.indexOf(row) : rows.push(row) - 1)
  /** By row, event and stage: the number of the row after it. */
  const results: number[] = []
  /** The row after a handler's write; `REFUSED`: its condition did not hold. */
  function after(row: number, event: number, stage: number): number {
    const key = (row * 8 + event) * 4 + stage
    results[key] ??= numberOr(REFUSED, written(rows[row]!, writes[event]![stage]!))
    return results[key]
  }
  const numberOr = (otherwise: number, row: string | undefined) => (row === undefined ? otherwise : numberOf(row))

  const all = 2 ** events.length - 1
  const ends = new Set<string>()
  /** By row: whether it was met with these events done and those waiting. Millions of states, so no Set of them. */
  const seen: Uint8Array[] = []
  /** Row, bits of the events that are handled, bits of those whose handler is between its first two writes. A byte each for the bits. */
  const open = [0]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [row, done, waiting] = [state >> 16, (state >> 8) & 255, state & 255]
    seen[row] ??= new Uint8Array(1 << 16)
    if (seen[row][state & 0xffff] === 1) continue
    seen[row][state & 0xffff] = 1
    if (done === all) ends.add(rows[row]!)
    for (let i = 0; i < events.length; i++) {
      const bit = 1 << i
      const first = after(row, i, 0)
      if (first === REFUSED) open.push(state | bit)
      else open.push((first << 16) | ((done | bit) << 8) | waiting)
      if (!(waiting & bit)) continue
      // A third write is the first once more: one that waits for it does what a repeated event does that begins then.
      let second = after(row, i, 1)
      if (second === REFUSED && writes[i]!.length > 2) second = after(row, i, 2)
      open.push(((second === REFUSED ? row : second) << 16) | ((done | bit) << 8) | (waiting & ~bit))
    }
  }
  return ends
}

/** What the row tells of the last connection. */
const told = (row: string) => {
  const { session, version, connect_state, online_at, offline_at, event_at } = JSON.parse(row) as Row
  const number = (value: { N?: string | undefined } | undefined) => Number(value?.N)
  return {
    session: session?.S,
    version: number(version),
    connected: connect_state?.N === '1',
    onlineAt: number(online_at),
    offlineAt: number(offline_at),
    eventAt: number(event_at),
  }
}

describe.each([1, 2, 3, 4])('I6: every order and repetition of the events of %i connections ends in the true state', (connections) => {
  const cases = chains(connections - 1).flatMap((chain) =>
    (connections < 4 ? LASTS : LASTS_OF_MANY).flatMap((lasts) => [true, false].map((open) => ({ chain, lasts, open }))),
  )
  it(`${cases.length} timelines`, async () => {
    for (const { chain, lasts, open } of cases) {
      const stays = timeline(chain, lasts, open)
      const { connectedAt: _, ...truth } = truthOf(stays)
      const ends = await explore(eventsOf('c', stays))
      const wrong = [...ends].map(told).filter((row) => JSON.stringify(row) !== JSON.stringify(truth))
      expect({ chain, lasts, open, wrong }).toEqual({ chain, lasts, open, wrong: [] })
    }
  }, 900_000)
})

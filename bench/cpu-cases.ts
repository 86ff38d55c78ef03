/** What the CPU block measures: batches of one hook's events, and what must be there before. */
import type { HookName } from '../lambda/core/hooks.ts'
import { ackEvent, connectedEvent, disconnectedEvent, msgidOfPublish, publishEvent, subscribedEvent } from './events.ts'
import { DEFAULT_ROWS, type Handlers, type Row } from './handlers.ts'

export interface CpuCase {
  readonly name: string
  readonly hook: HookName
  /** Default: the queue's, see handlers.ts. */
  readonly rows?: readonly Row[]
  readonly events: number
  /** Events in one invocation. */
  readonly batch: number
  readonly event: (n: number) => object
  readonly prepare?: (handlers: Handlers, events: number) => Promise<void>
  /** Whether the handler must keep to the floor; other cases are compared with each other. */
  readonly keepsFloor: boolean
}

const START = Date.now() - 600_000
const PUBLISH = { hook: 'message.publish', batch: 1 } as const
const topicOf = (n: number) => `cpu/${n}`
const publishOf = (topic: string, n: number) => publishEvent(topic, n, { at: START + n })
const TOGETHER = 20

/** `count` of single events. */
export const cpuCases = (count: number): readonly CpuCase[] => [
  { ...PUBLISH, name: 'publish', events: count, event: (n) => publishOf('cpu/one', n), keepsFloor: true },
  { ...PUBLISH, name: 'publish, default conf', rows: DEFAULT_ROWS, events: count, event: (n) => publishOf('cpu/one', n), keepsFloor: true },
  {
    name: 'an ack by the ack topic',
    hook: 'message.acked',
    events: count,
    batch: 1,
    event: (n) => ackEvent('acker', msgidOfPublish(n, START + n), topicOf(n), START + n),
    async prepare({ handle }, events) {
      await handle('session.subscribed', subscribedEvent('acker', 's', ['cpu/#'], START))
      for (let n = 0; n < events; n += TOGETHER)
        await handle(PUBLISH.hook, ...Array.from({ length: TOGETHER }, (_, i) => publishOf(topicOf(n + i), n + i)))
    },
    keepsFloor: true,
  },
  {
    name: 'connect',
    hook: 'client.connected',
    events: count,
    batch: 1,
    event: (n) => connectedEvent(`c${n}`, 's', START),
    keepsFloor: true,
  },
  {
    name: 'disconnect',
    hook: 'client.disconnected',
    events: count,
    batch: 1,
    event: (n) => disconnectedEvent(`c${n}`, 's', START + 1),
    async prepare({ handle }, events) {
      for (let n = 0; n < events; n += TOGETHER)
        await handle('client.connected', ...Array.from({ length: TOGETHER }, (_, i) => connectedEvent(`c${n + i}`, 's', START)))
    },
    keepsFloor: true,
  },
  { ...PUBLISH, name: ALONE, events: count, event: (n) => publishOf(topicOf(n), n), keepsFloor: false },
  { ...PUBLISH, name: BATCHED, events: 2 * count, batch: 100, event: (n) => publishOf(topicOf(n), n), keepsFloor: false },
]

/** Compared with each other. */
export const ALONE = 'publishes on different topics, one by one'
export const BATCHED = 'publishes on different topics, 100 in a batch'

/** How deep a subscriber's queue lies: until the first message is on its way, and whether a later one ever waits for a read. */
import { systemClock } from '../lambda/adapters/function/environment.ts'
import { type DepthCase, type Ground, originalMessage, START } from './depth-case.ts'
import { disconnectedEvent, publishEvent, subscribedEvent } from './events.ts'
import { handlersOn, QUEUE_ROWS } from './handlers.ts'
import { watchedSends } from './watched-sends.ts'

/** Numbers of EMQX's queued messages begin here: it keeps the messages of all cases in one table. */
const QUEUED = 1_000_000

/** How soon the first message of a queue is on its way, at a device that acknowledges at once and is not paced. */
export async function subscribe(ground: Ground): Promise<DepthCase> {
  const { original, queued } = ground
  const { watch, sample } = await queueOf(ground, async () => {})
  for (let i = 0; i < queued; i += 25)
    await Promise.all(
      Array.from({ length: Math.min(25, queued - i) }, (_, n) => original.publish(originalMessage(QUEUED + i + n, 'depth/queue'))),
    )
  return {
    devicesNear: true,
    figures: [{ name: `subscribe, ${queued} queued: the first message is on its way`, atMost: 4.2 }],
    sample: async (n) => [await sample(n, () => watch.firstSend)],
    original: {
      name: 'Get, then BatchGets one after the other',
      sample: async () => checkAll(await original.fetch('depth/queue'), queued),
    },
    rows: () => ({ mqtt_msg: queued, mqtt_sub: 0 }),
  }
}

/** At the pace of 100 a second: whether a message ever waits for a read. */
export async function subscribeAll(ground: Ground): Promise<DepthCase> {
  const { watch, sample } = await queueOf(ground, systemClock.sleep)
  return {
    devicesNear: true,
    rounds: 2,
    figures: [{ name: `subscribe, ${ground.queued} queued: the last message is on its way, at 100 a second`, atMost: 4.2 }],
    sample: async (n) => [await sample(n, () => watch.lastSend)],
    rows: () => ({ mqtt_msg: ground.queued, mqtt_sub: 0 }),
  }
}

/** Nothing is taken off it (no message.acked row), so it stays as it is. `sample`: milliseconds from a subscribed event to the moment. */
async function queueOf({ clients, tables, queued }: Ground, sleep: (ms: number) => Promise<void>) {
  const watch = watchedSends()
  const rows = QUEUE_ROWS.filter(({ hook }) => hook !== 'message.acked')
  const { handle } = handlersOn({ clients, tables, rows, clock: { ...systemClock, sleep }, watched: watch.on })
  const messages = Array.from({ length: queued }, (_, n) => publishEvent('depth/queue', n, { at: START + n }))
  for (let i = 0; i < queued; i += 10) await handle('message.publish', ...messages.slice(i, i + 10))
  return {
    watch,
    async sample(n: number, moment: () => number): Promise<number> {
      watch.reset()
      const started = performance.now()
      await handle('session.subscribed', subscribedEvent(`r${n}`, 's', ['depth/queue'], Date.now()))
      if (watch.sends !== queued) throw new Error(`${watch.sends} of ${queued} queued messages were sent`)
      const taken = moment() - started
      await handle('client.disconnected', disconnectedEvent(`r${n}`, 's', Date.now()))
      return taken
    },
  }
}

function checkAll(fetched: readonly unknown[], wanted: number): void {
  if (fetched.length !== wanted) throw new Error(`EMQX's pattern fetched ${fetched.length} of ${wanted}`)
}

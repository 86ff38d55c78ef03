/**
 * `"retain": "native"` over its quota: IoT Core answers 500 times a second, and 2,000 messages a second are published on 5,000 topics, 50 of
 * them retained. Here all of it is a twentieth, with the handlers, the queue's visibility and its receives as they are deployed.
 *
 * @slow
 */
import { HOOK_SETTINGS, visibilitySeconds } from '../../lib/pipeline/hook-settings.ts'
import { createTables } from '../support/engines.ts'
import { mapsClient } from '../support/maps-engine.ts'
import { retainedOf } from '../support/retained-world.ts'
import { World } from '../support/world.ts'

const SCALE = 20
const QUOTA = 500 / SCALE
const RATE = 2_000 / SCALE
const TOPICS = 5_000 / SCALE
const RETAINED = 3
/** Seconds: each retained topic has a new value so often, and so long it goes on. */
const RENEWED = 30
const LASTS = 90
const THROTTLED = Object.assign(new Error('ThrottlingException'), { $metadata: { httpStatusCode: 429 } })
const { maxReceives } = HOOK_SETTINGS['message.publish']
const HIDDEN = visibilitySeconds(HOOK_SETTINGS['message.publish']) * 1000

jest.setTimeout(120_000)

interface Queued {
  readonly id: string
  readonly body: string
  receives: number
  visibleAt: number
}

test('I1, I6: everything is stored at once, nothing becomes a dead letter, and the retained rows follow', async () => {
  const client = mapsClient()
  const engine = { name: 'maps', url: '', client } as const
  const world = new World(engine, await createTables(engine), { logLevel: 'warn' })
  const start = world.now
  let left = 0
  jest.spyOn(world.ports.device, 'retained').mockImplementation(async (topic) => {
    if (left-- <= 0) throw THROTTLED
    return world.native.get(topic)
  })
  let queue: Queued[] = []
  let published = 0
  let most = 0
  /** Topic -> its retained value, and since when the row does not show it. Milliseconds. */
  const waiting = new Map<string, number>()
  let longest = 0

  const publish = (topic: string, payload: string) => {
    const event = world.publishEvent(topic, payload, { timestamp: world.now })
    queue.push({ id: `q${published++}`, body: JSON.stringify(event), receives: 0, visibleAt: world.now })
  }
  const handleVisible = async () => {
    const visible = queue.filter(({ visibleAt }) => visibleAt <= world.now)
    queue = queue.filter(({ visibleAt }) => visibleAt > world.now)
    for (let i = 0; i < visible.length; i += 10) {
      const batch = visible.slice(i, i + 10)
      for (const one of batch) most = Math.max(most, ++one.receives)
      const records = batch.map(({ id, body, receives }) => ({
        messageId: id,
        body,
        attributes: { ApproximateReceiveCount: `${receives}` },
      }))
      const { batchItemFailures } = await world.deliver('message.publish', records)
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
      queue.push(...batch.filter(({ id }) => failed.has(id)).map((one) => ({ ...one, visibleAt: world.now + HIDDEN })))
    }
  }

  for (let second = 0; second < LASTS || queue.length > 0; second++) {
    world.now = start + second * 1000
    left = QUOTA
    if (second < LASTS) {
      for (let i = 0; i < RATE; i++) publish(`t/${(second * RATE + i) % TOPICS}`, `${second}`)
      if (second % RENEWED === 0) {
        for (let i = 0; i < RETAINED; i++) {
          world.native.set(`r/${i}`, { payload: Buffer.from(`${second}`), qos: 1, lastModified: world.now, user: [] })
          waiting.set(`r/${i}`, waiting.get(`r/${i}`) ?? world.now)
          publish(`r/${i}`, `${second}`)
        }
      }
    }
    await handleVisible()
    if (second % 15 === 0) expect((await world.scan('mqtt_msg')).length).toBe(published)
    for (const [topic, since] of waiting) {
      if ((await retainedOf(world, topic)) !== world.native.get(topic)!.payload.toString()) continue
      longest = Math.max(longest, world.now - since)
      waiting.delete(topic)
    }
  }

  expect(most).toBeLessThan(maxReceives)
  expect(waiting).toEqual(new Map())
  // Of simulated time.
  expect(longest).toBeLessThan(60_000)
  client.destroy()
})

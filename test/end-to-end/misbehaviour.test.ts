/**
 * All that AWS disclaims, at once: events doubled, late and out of order, a throttled database, PUBACKs that get lost.
 *
 * @seconds 25
 */
import { endClients, eventually } from '../support/mqtt-client.ts'
import { type Backend, startBackend, texts } from './backend.ts'

let backend: Backend
afterEach(async () => {
  await endClients()
  await backend.close()
})

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

test('I1, I2, I5: 300 messages for a subscriber that is away all come, and nothing is left behind', async () => {
  const misbehaviour = { duplicate: 0.2, reorder: 0.2, delay: 0.1, throttle: 0.1, dropPuback: 0.2 }
  backend = await startBackend({ misbehaviour, seed: 7, retryAfterMs: 200 })
  const { client } = await backend.connect('sender')
  for (const payload of numbers(300)) await client.publishAsync('t', payload, { qos: 1 })
  await backend.idle()
  expect(await backend.rows('mqtt_msg', 't')).toHaveLength(300)

  const reader = await backend.connect('reader')
  await reader.client.subscribeAsync('t', { qos: 1 })
  const missing = () => numbers(300).filter((payload) => !new Set(texts(reader)).has(payload))
  await eventually('all 300', () => missing().length === 0, 60_000)
  await eventually('nothing is pending', async () => (await backend.rows('mqtt_msg', 't')).length === 0, 60_000)
  await backend.idle()
  const named = (await backend.rows('mqtt_topic_msg_map', 't')).filter((row) => row.MsgId || row.sealing)
  expect(named).toEqual([])
  expect(await backend.deadLetters()).toEqual({})
  // Oldest first, whatever order the events came in: the first time that each came.
  expect([...new Set(texts(reader))].map(Number)).toEqual([...numbers(300).map(Number)])
}, 120_000)

/** The local view of the functions' metrics: what deployed bundles print, under the environment that the template gives them. */
import type { HookMetrics } from '../../local/functions/metrics.ts'
import { endClients, eventually } from '../support/mqtt-client.ts'
import { type Backend, startBackend, texts } from './backend.ts'

let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterAll(async () => {
  await endClients()
  await backend.close()
})

const metrics = async () =>
  ((await (await fetch(`${backend.dataUrl}/local/metrics`)).json()) as { hooks: Record<string, HookMetrics> }).hooks
const timed = (count: number) => ({ count, p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) })

test('three messages that wait for a subscriber, a poison event: each is counted once', async () => {
  const { client } = await backend.connect('sender')
  for (const payload of ['a', 'b', 'c']) await client.publishAsync('m/1', payload, { qos: 1 })
  await backend.idle()
  const reader = await backend.connect('reader')
  await reader.client.subscribeAsync('m/1', { qos: 1 })
  await eventually('the queue is delivered', () => texts(reader).length === 3)
  await backend.event('$aws/events/presence/disconnected/nobody', { poison: true })
  await backend.idle()

  // A function's lines come a little after its answer; the poison is tried 90 times, as the template says, and given up once.
  const said = async () => {
    const all = Object.values(await metrics()).flatMap(({ counts, errors }) => [...Object.values(counts), ...Object.values(errors)])
    return all.reduce((sum, count) => sum + count, 0) === 99
  }
  await eventually('all is counted', said)
  expect(await metrics()).toEqual({
    'session.created': { counts: { session_created: 2 }, outcomes: {}, errors: {}, latencies: {} },
    'client.connected': { counts: { client_connected: 2 }, outcomes: {}, errors: {}, latencies: {} },
    'message.publish': { counts: { message_publish: 3 }, outcomes: {}, errors: {}, latencies: { publish_to_stored: timed(3) } },
    'session.subscribed': {
      counts: { session_subscribed: 1 },
      outcomes: { message_delivered: 3 },
      errors: {},
      latencies: { subscribe_to_last_delivered: timed(1) },
    },
    'client.disconnected': {
      counts: { event_given_up: 1 },
      outcomes: {},
      errors: { 'bad-event': 90 },
      latencies: { event_age: timed(90) },
    },
  })
})

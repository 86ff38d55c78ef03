import { emfLines } from '../../../lambda/adapters/function/emf.ts'
import type { HookName } from '../../../lambda/core/hooks.ts'
import { FunctionMetrics } from '../../../local/functions/metrics.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

let metrics: FunctionMetrics
beforeEach(() => {
  metrics = new FunctionMetrics()
})

function measured(hook: HookName, counts: object, latencies: object = {}, errors: object = {}): void {
  const maps = [counts, latencies, errors].map((one) => new Map(Object.entries(one))) as [
    Map<string, number>,
    Map<string, number[]>,
    Map<string, number>,
  ]
  const lines = emfLines('MqttBackend', { hook, counts: maps[0], latencies: maps[1], errors: maps[2] }, 1_800_000_000_000)
  for (const line of lines) metrics.read(line)
}

test('nothing read is nothing', () => {
  expect(metrics.report()).toEqual({})
})

test('lines add up by hook: counts, outcomes of direct messages, errors by code', () => {
  measured('message.publish', { message_publish: 2, delivery_gone: 1, message_delivered: 3 }, {}, { 'bad-event': 1, 'bad-ack': 1 })
  measured('message.publish', { message_publish: 1, message_delivered: 1, event_unfinished: 1 }, {}, { 'bad-event': 2 })
  measured('client.connected', { client_connected: 1 })
  expect(metrics.report()).toEqual({
    'message.publish': {
      counts: { message_publish: 3, event_unfinished: 1 },
      outcomes: { delivery_gone: 1, message_delivered: 4 },
      errors: { 'bad-event': 3, 'bad-ack': 1 },
      latencies: {},
    },
    'client.connected': { counts: { client_connected: 1 }, outcomes: {}, errors: {}, latencies: {} },
  })
})

test('latencies are percentiles by nearest rank, however many lines they came in', () => {
  for (const value of upTo(200).toReversed()) measured('message.publish', {}, { publish_to_stored: [value] })
  expect(metrics.report()['message.publish']!.latencies).toEqual({ publish_to_stored: { count: 200, p50: 100, p99: 198, max: 200 } })
})

test('one value is all of them', () => {
  measured('message.publish', {}, { publish_to_stored: [7] })
  expect(metrics.report()['message.publish']!.latencies).toEqual({ publish_to_stored: { count: 1, p50: 7, p99: 7, max: 7 } })
})

test('percentiles are of the last 10,000, count and maximum of all', () => {
  measured('message.publish', {}, { publish_to_stored: [999, ...upTo(100)] })
  for (const _ of upTo(100)) measured('message.publish', {}, { publish_to_stored: upTo(100) })
  expect(metrics.report()['message.publish']!.latencies).toEqual({ publish_to_stored: { count: 10_101, p50: 50, p99: 99, max: 999 } })
})

test.each(['', 'text', '{"level":"info","outcome":"done"}', '{"_aws":{"Timestamp":1', '[1]', 'null'])('%j is no metric', (line) => {
  metrics.read(line)
  expect(metrics.report()).toEqual({})
})

import { emfLines, type Measured } from '../../../lambda/adapters/function/emf.ts'
import { emfFaults } from '../../support/emf-rules.ts'

const AT = 1_800_000_000_000
const measured = (more: Partial<Omit<Measured, 'hook'>>): Measured => ({
  hook: 'message.publish',
  counts: new Map(),
  latencies: new Map(),
  errors: new Map(),
  ...more,
})
const parsed = (more: Partial<Omit<Measured, 'hook'>>) => emfLines('MqttBackend', measured(more), AT).map((line) => JSON.parse(line))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('nothing measured is no line', () => {
  expect(emfLines('MqttBackend', measured({}), AT)).toEqual([])
})

test('a batch is one line: counts, latencies, and errors for the hook and by reason', () => {
  const all = { counts: new Map([['message_publish', 2]]), latencies: new Map([['took', [7, 9]]]), errors: new Map([['bad-event', 1]]) }
  expect(parsed(all)).toEqual([
    {
      _aws: {
        Timestamp: AT,
        CloudWatchMetrics: [
          {
            Namespace: 'MqttBackend',
            Dimensions: [['Hooks']],
            Metrics: [
              { Name: 'message_publish', Unit: 'Count' },
              { Name: 'took', Unit: 'Milliseconds' },
            ],
          },
          {
            Namespace: 'MqttBackend',
            Dimensions: [['Hooks'], ['Hook'], ['Hook', 'Reason']],
            Metrics: [{ Name: 'handler_errors', Unit: 'Count' }],
          },
        ],
      },
      Hooks: 'all',
      Hook: 'message.publish',
      message_publish: 2,
      took: [7, 9],
      Reason: 'bad-event',
      handler_errors: 1,
    },
  ])
})

test.each([1, 100, 101, 250])('%i values are each said once, in lines of at most 100', (count) => {
  const lines = parsed({ counts: new Map([['n', count]]), latencies: new Map([['took', upTo(count)]]) })
  expect(lines).toHaveLength(Math.ceil(count / 100))
  expect(lines.flatMap(({ took }) => took)).toEqual(upTo(count))
  expect(lines.map(({ n }) => n)).toEqual([count, ...lines.slice(1).map(() => undefined)])
})

test('each reason has a line, and is counted once', () => {
  const errors = new Map(Object.entries({ 'bad-event': 3, ThrottlingException: 1, 'bad-ack': 2 }))
  const lines = parsed({ counts: new Map([['n', 4]]), errors })
  expect(lines.map(({ Reason, handler_errors, n }) => [Reason, handler_errors, n])).toEqual([
    ['bad-event', 3, 4],
    ['ThrottlingException', 1, undefined],
    ['bad-ack', 2, undefined],
  ])
})

test('every line keeps the rules of the format', () => {
  const errors = new Map(upTo(4).map((i) => [`e${i}`, 1]))
  const lines = emfLines('MqttBackend', measured({ counts: new Map([['n', 1]]), latencies: new Map([['took', upTo(250)]]), errors }), AT)
  expect(lines).toHaveLength(4)
  expect(lines.map(emfFaults)).toEqual(lines.map(() => []))
})

describe('the rules find', () => {
  const line = (change: (root: Record<string, unknown>) => void) => {
    const root = parsed({ counts: new Map([['n', 1]]), latencies: new Map([['took', [1]]]) })[0]!
    change(root)
    return emfFaults(JSON.stringify(root))
  }

  test.each<[string, (root: Record<string, unknown>) => void, string[]]>([
    ['too many values', (root) => Object.assign(root, { took: upTo(101) }), ['value of took']],
    ['no value', (root) => Object.assign(root, { n: undefined }), ['value of n']],
    ['a value in words', (root) => Object.assign(root, { n: 'many' }), ['value of n']],
    ['a dimension without value', (root) => Object.assign(root, { Hooks: undefined }), ['dimension Hooks has no value']],
    ['no directive', (root) => Object.assign(root, { _aws: {} }), ['no directive']],
  ])('%s', (_, change, faults) => {
    expect(line(change)).toEqual(faults)
  })
})

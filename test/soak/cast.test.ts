import { topicMatches } from '../../lambda/core/topic.ts'
import { castOf } from './cast.ts'
import { dice } from './dice.ts'
import { numberOf, payloadOf, ReceiptBook } from './receipts.ts'

const SIZE = { clients: 50, topics: 100 }

test('the same seed casts the same play, another does not', () => {
  expect(castOf(SIZE, dice(7))).toEqual(castOf(SIZE, dice(7)))
  expect(castOf(SIZE, dice(7))).not.toEqual(castOf(SIZE, dice(8)))
})

test('50 clients: a third flaps, a third is durable; every kind, both protocols, a shared subscription and operator rows are there', () => {
  const { topics, roles, retainedTopics, keptTopics } = castOf(SIZE, dice(1))
  expect([topics.length, roles.length, retainedTopics.length, keptTopics.length]).toEqual([100, 50, 20, 50])
  expect(roles.filter(({ flaps }) => flaps)).toHaveLength(17)
  expect(roles.filter(({ kind }) => kind === 'durable')).toHaveLength(17)
  expect(roles.some(({ kind, flaps }) => kind === 'durable' && flaps)).toBe(true)
  for (const kind of ['exact', 'durable', 'wildcard', 'server', 'server-wildcard'])
    for (const protocol of [4, 5]) expect(roles.some((role) => role.kind === kind && role.protocol === protocol)).toBe(true)
  expect(roles.some(({ filters }) => filters.some((filter) => filter.startsWith('$share/')))).toBe(true)
  expect(roles.filter(({ operatorFilters }) => operatorFilters.length > 0).map(({ kind }) => kind)).toContain('server')
})

test('MQTT 3.1.1 clients see no retained topic: they could not tell a pushed retained message from a queued one', () => {
  const { roles, retainedTopics } = castOf(SIZE, dice(1))
  const old = roles.filter(({ protocol }) => protocol === 4).flatMap(({ filters, operatorFilters }) => [...filters, ...operatorFilters])
  const seen = retainedTopics.filter((topic) =>
    old.some((filter) => topicMatches(filter.replace(/^(?:\$share\/soak|durable)\//, ''), topic)),
  )
  expect(seen).toEqual([])
})

test.each([2, 3, 6, 11])('%d topics and three clients are enough', (topics) => {
  const { roles, retainedTopics } = castOf({ clients: 3, topics }, dice(1))
  expect(retainedTopics.length).toBeGreaterThan(0)
  expect(roles.every(({ filters, operatorFilters }) => filters.length + operatorFilters.length > 0)).toBe(true)
})

describe('a client’s own record', () => {
  const role = castOf(SIZE, dice(1)).roles[0]!
  const packet = (more: object) =>
    ({ cmd: 'publish', topic: 't', payload: payloadOf(7), qos: 1, dup: false, retain: false, ...more }) as never

  test.each([
    ['a native delivery', { protocol: 5, kind: 'exact' }, {}, 'native'],
    ['a direct message', { protocol: 5, kind: 'exact' }, { properties: { userProperties: { msgid: 'x' } } }, 'direct'],
    ['either, to an MQTT 3.1.1 client', { protocol: 4, kind: 'exact' }, {}, 'untold'],
    ['one to an MQTT 3.1.1 client that subscribed to nothing', { protocol: 4, kind: 'server' }, {}, 'direct'],
    ['one to a durable MQTT 3.1.1 client', { protocol: 4, kind: 'durable' }, {}, 'direct'],
  ] as const)('%s', (_, who, what, how) => {
    const book = new ReceiptBook({ ...role, ...who })
    book.note(packet(what))
    expect(book.receipts.get(7)).toEqual({ native: 0, direct: 0, untold: 0, [how]: 1 })
  })

  test('retained messages, pushed or native, and empty payloads are no deliveries', () => {
    const book = new ReceiptBook({ ...role, protocol: 5 })
    book.note(packet({ retain: true }))
    book.note(packet({ properties: { userProperties: { msgid: 'x', retain: '1' } } }))
    book.note(packet({ payload: '' }))
    expect(book.receipts.size).toBe(0)
    expect(numberOf('message seven')).toBeUndefined()
  })
})

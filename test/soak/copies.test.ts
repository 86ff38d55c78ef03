/** The account of copies can fail: each case is one copy that is owed, or that is not. */
import { copiesOf, topicsRead } from './copies.ts'

const DIRECT = { native: 0, direct: 1, untold: 0 }
const kept = {
  topics: new Set(['k']),
  published: new Map([1, 2].map((n) => [n, n === 1 ? 'k' : 'q'])),
  began: new Map([1, 2].map((n) => [n, 100])),
}
const reader = (since: number | undefined, ...got: number[]) => ({
  role: { clientid: 'c' },
  receipts: new Map(got.map((n) => [n, DIRECT])),
  reads: new Map(since === undefined ? [] : ['k', 'q'].map((topic) => [topic, since])),
})

test.each([
  ['who got it', reader(99, 1), 1, []],
  ['who did not get it', reader(99), 1, [1]],
  ['who subscribed later', reader(100), 0, []],
  ['who is not subscribed', reader(undefined), 0, []],
])('a message of a topic kept for many, and one of a queue: %s', (_name, one, owed, missing) => {
  const copies = copiesOf([one], kept)
  expect([copies.owed, copies.violations.flatMap(({ messages }) => messages)]).toEqual([owed, missing])
  expect(copies.violations.every(({ invariant, clients }) => invariant === 'I11' && clients[0] === 'c')).toBe(true)
})

test('a topic is read by its filter with whatever prefix, and not by a wildcard', () => {
  expect(topicsRead(['a', 'durable/b', '$share/g/c', '$share/g/durable/d', 'e/#', 'f/+'])).toEqual(['a', 'b', 'c', 'd'])
})

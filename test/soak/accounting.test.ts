/** The account can fail: it is given a world in which all is well, then the same with one thing wrong. */
import { accountFor, type Facts, type Member, presenceViolations, retainedViolations, undrainedViolations } from './accounting.ts'
import type { Kind } from './cast.ts'
import type { Receipt } from './receipts.ts'

const NATIVE: Receipt = { native: 1, direct: 0, untold: 0 }
const DIRECT: Receipt = { native: 0, direct: 1, untold: 0 }

const member = (clientid: string, kind: Kind, receipts: [number, Receipt][], filters: string[] = []): Member => ({
  role: { clientid, kind, filters },
  receipts: new Map(receipts),
})

/** Message 1 reached its subscriber, 2 a server-side one, 3 waits, the event of 4 is a dead letter. */
const well: Facts = {
  published: new Map([1, 2, 3, 4].map((n) => [n, `t/${n}`])),
  members: [
    member('a', 'exact', [[1, NATIVE]], ['t/1']),
    member('b', 'server', [[2, DIRECT]]),
    member('w', 'wildcard', [[1, NATIVE]], ['t/#']),
  ],
  stored: [{ msgid: 'm3', topic: 't/3', number: 3 }],
  named: [{ msgid: 'm3', place: 't/3' }],
  acked: [
    { topic: 't/1', clientid: 'a', msgid: 'm1' },
    { topic: 't/2', clientid: 'b', msgid: 'm2' },
  ],
  deadLetters: [4],
  numbers: new Map([1, 2, 3, 4].map((n) => [`m${n}`, n])),
}
const violationsOf = (change: Partial<Facts>) => accountFor({ ...well, ...change }).violations
const kindsOf = (change: Partial<Facts>) => violationsOf(change).map(({ invariant, messages }) => [invariant, ...messages])

test('all is well: every message is in one place', () => {
  expect(accountFor(well)).toEqual({
    published: 4,
    delivered: 2,
    natively: 1,
    directly: 1,
    untold: 0,
    twice: 0,
    pending: 1,
    deadLetters: 1,
    lost: [],
    leftOver: 0,
    violations: [],
  })
})

test('twice is twice to the same client, not once to each of two', () => {
  const twice = member('a', 'exact', [[1, { native: 1, direct: 1, untold: 0 }]])
  expect(accountFor({ ...well, members: [twice] }).twice).toBe(1)
  expect(accountFor({ ...well, members: [member('a', 'exact', [[1, NATIVE]]), member('b', 'exact', [[1, NATIVE]])] }).twice).toBe(0)
})

describe('I1 lost', () => {
  test('a message that is nowhere', () => {
    expect(violationsOf({ deadLetters: [] })).toEqual([
      {
        invariant: 'I1',
        what: 'message 4 of t/4 is lost: nobody got it, no queue names it, and it is no dead letter',
        messages: [4],
        clients: [],
      },
    ])
    expect(accountFor({ ...well, deadLetters: [] }).lost).toEqual([4])
  })

  test('one that only a wildcard subscriber got, which takes nothing off a queue', () => {
    const [, b, w] = well.members
    expect(kindsOf({ members: [b!, w!], acked: [] })).toEqual([['I1', 1]])
    expect(violationsOf({ members: [b!, w!], acked: [] })[0]!.clients).toEqual(['w'])
  })

  test('but not one that an operator had sent to a wildcard client', () => {
    expect(kindsOf({ members: [member('w', 'wildcard', [[1, DIRECT]]), well.members[1]!], acked: [] })).toEqual([])
  })

  test('a message that is stored and named nowhere', () => {
    expect(kindsOf({ named: [] })).toEqual([
      ['I1', 3],
      ['I5', 3],
    ])
  })
})

describe('I5', () => {
  test('a name without a message', () => {
    const named = [...well.named, { msgid: 'm1', place: 't/1 segment 0' }, { msgid: 'strange', place: 't/1 sealing' }]
    expect(violationsOf({ named }).map(({ what }) => what)).toEqual([
      't/1 segment 0 names message 1, which does not exist',
      't/1 sealing names strange, which does not exist',
    ])
  })

  test('the row of a delivered message that nothing names is left over, and counted', () => {
    const stored = [...well.stored, { msgid: 'm1', topic: 't/1', number: 1 }]
    expect(accountFor({ ...well, stored })).toMatchObject({ leftOver: 1, violations: [] })
  })

  test('one of two copies of a repeated publish is enough', () => {
    const stored = [...well.stored, { msgid: 'm3 again', topic: 't/3', number: 3 }]
    const named = [{ msgid: 'm3 again', place: 't/3' }]
    expect(accountFor({ ...well, stored, named })).toMatchObject({ pending: 1, lost: [] })
  })
})

describe('I3 false acknowledgements', () => {
  test('of a message that nobody got', () => {
    expect(violationsOf({ acked: [{ topic: 't/3', clientid: 'a', msgid: 'm3' }] })).toEqual([
      {
        invariant: 'I3',
        what: 'message 3 of t/3 counts as acknowledged by a, who did not get it',
        messages: [3],
        clients: ['a'],
      },
    ])
  })

  test('by another than who got it', () => {
    expect(kindsOf({ acked: [{ topic: 't/1', clientid: 'b', msgid: 'm1' }] })).toEqual([['I3', 1]])
    expect(kindsOf({ acked: [{ topic: 't/1', clientid: 'stranger', msgid: 'm1' }] })).toEqual([['I3', 1]])
  })

  test('a member of a shared subscription stands for the others', () => {
    const shared = member('s', 'exact', [], ['$share/g/t/1'])
    const acked = [{ topic: 't/1', clientid: 's', msgid: 'm1' }]
    expect(kindsOf({ members: [...well.members, shared], acked })).toEqual([])
    expect(kindsOf({ members: [...well.members, shared], acked: [{ topic: 't/3', clientid: 's', msgid: 'm3' }] })).toEqual([['I3', 3]])
  })

  test('an id that no event ever had is nobody’s to judge', () => {
    expect(kindsOf({ acked: [{ topic: 't/1', clientid: 'a', msgid: 'of an earlier life' }] })).toEqual([])
  })
})

test('I2: what is pending after the last subscriber', () => {
  expect(undrainedViolations([], [])).toEqual([])
  expect(undrainedViolations(well.stored, [])).toEqual([])
  expect(undrainedViolations(well.stored, well.named)).toMatchObject([{ invariant: 'I2', messages: [3] }])
})

describe('I6', () => {
  test('presence', () => {
    const truth = new Map([
      ['a', true],
      ['b', false],
      ['c', true],
    ])
    expect(presenceViolations({ truth, shown: truth })).toEqual([])
    const shown = new Map([
      ['a', true],
      ['b', true],
    ])
    expect(presenceViolations({ truth, shown }).map(({ what }) => what)).toEqual([
      'mqtt_client shows b as connected, it is disconnected',
      'mqtt_client shows c as nothing, it is connected',
    ])
  })

  test('retained rows', () => {
    const truth = new Map([
      ['t/1', 1],
      ['t/2', undefined],
      ['t/3', 3],
    ])
    expect(retainedViolations({ truth, shown: new Map(Object.entries({ 't/1': 1, 't/3': 3 })) })).toEqual([])
    expect(retainedViolations({ truth, shown: new Map(Object.entries({ 't/1': 7, 't/2': 2 })) }).map(({ what }) => what)).toEqual([
      'mqtt_retain has message 7 of t/1, the last retained publish says message 1',
      'mqtt_retain has message 2 of t/2, the last retained publish says no message',
      'mqtt_retain has no message of t/3, the last retained publish says message 3',
    ])
  })
})

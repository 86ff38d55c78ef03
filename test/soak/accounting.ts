/** Every message accounted for, from what was collected: rows, dead letters, and what the clients truly got. Pure. */
import type { Role } from './cast.ts'
import type { Receipt, Receipts } from './receipts.ts'
import type { AckedRow, NamedMessage, StoredMessage } from './soak-tables.ts'

export interface Member {
  readonly role: Pick<Role, 'clientid' | 'kind' | 'filters'>
  readonly receipts: Receipts
}

export interface Facts {
  /** Number -> topic of every publish that its publisher got a PUBACK for. */
  readonly published: ReadonlyMap<number, string>
  readonly members: readonly Member[]
  readonly stored: readonly StoredMessage[]
  readonly named: readonly NamedMessage[]
  readonly acked: readonly AckedRow[]
  /** Numbers of messages whose events are dead letters. */
  readonly deadLetters: readonly number[]
  /** msgid -> number, of every event that was ever queued. */
  readonly numbers: ReadonlyMap<string, number>
}

export interface Violation {
  /** I1, I3, I5, I6, I11 (DESIGN.md, section 4). */
  readonly invariant: string
  readonly what: string
  /** Numbers of the messages concerned. */
  readonly messages: readonly number[]
  readonly clients: readonly string[]
}

export interface Account {
  readonly published: number
  /** A queue consumer got it, natively or by direct message. */
  readonly delivered: number
  /** Of the published: somebody got it so. */
  readonly natively: number
  readonly directly: number
  /** To an MQTT 3.1.1 client that cannot tell. */
  readonly untold: number
  /** Some client got it more than once. */
  readonly twice: number
  /** Nobody has got it yet: its row is there and the topic's queue names it. */
  readonly pending: number
  /** Neither delivered nor pending. */
  readonly deadLetters: number
  /** Nowhere. */
  readonly lost: readonly number[]
  /** Rows of delivered messages that no queue names: an acknowledgement met a repeated publish. */
  readonly leftOver: number
  readonly violations: readonly Violation[]
}

export function accountFor(facts: Facts): Account {
  const { published, members, stored, named } = facts
  const names = new Set(named.map(({ msgid }) => msgid))
  const pending = new Set(stored.filter(({ msgid }) => names.has(msgid)).map(({ number }) => number))
  const dead = new Set(facts.deadLetters)
  const delivered = new Set(members.flatMap((member) => [...member.receipts].filter(([, one]) => takesOff(member, one)).map(([n]) => n)))
  const numbers = [...published.keys()]
  const lost = numbers.filter((n) => !delivered.has(n) && !pending.has(n) && !dead.has(n))
  const some = (is: (receipt: Receipt) => boolean) =>
    numbers.filter((n) => members.some(({ receipts }) => receipts.has(n) && is(receipts.get(n)!))).length
  const unnamed = stored.filter(({ msgid, number }) => number !== undefined && !names.has(msgid))
  return {
    published: published.size,
    delivered: numbers.filter((n) => delivered.has(n)).length,
    natively: some(({ native }) => native > 0),
    directly: some(({ direct }) => direct > 0),
    untold: some(({ untold }) => untold > 0),
    twice: some(({ native, direct, untold }) => native + direct + untold > 1),
    pending: numbers.filter((n) => !delivered.has(n) && pending.has(n)).length,
    deadLetters: numbers.filter((n) => !delivered.has(n) && !pending.has(n) && dead.has(n)).length,
    lost,
    leftOver: unnamed.filter(({ number }) => delivered.has(number!)).length,
    violations: [
      ...lost.map((n) => lostOne(n, facts)),
      ...danglingNames(facts),
      ...unnamed.filter(({ number }) => !delivered.has(number!)).map(unnamedOne),
      ...falseAcks(facts),
    ],
  }
}

/** Wildcard subscribers get what IoT Core delivers natively and take nothing off a queue; for all others a delivery is one. */
const takesOff = ({ role }: Member, { direct }: Receipt): boolean => role.kind !== 'wildcard' || direct > 0

function lostOne(n: number, { published, members }: Facts): Violation {
  const got = members.filter(({ receipts }) => receipts.has(n)).map(({ role }) => role.clientid)
  const whoGot = got.length === 0 ? 'nobody got it' : 'only wildcard subscribers got it'
  const what = `message ${n} of ${published.get(n)} is lost: ${whoGot}, no queue names it, and it is no dead letter`
  return { invariant: 'I1', what, messages: [n], clients: got }
}

/** I5: no head or segment names a message that does not exist. */
function danglingNames({ stored, named, numbers }: Facts): Violation[] {
  const rows = new Set(stored.map(({ msgid }) => msgid))
  return named
    .filter(({ msgid }) => !rows.has(msgid))
    .map(({ msgid, place }) => {
      const number = numbers.get(msgid)
      const what = `${place} names ${number === undefined ? msgid : `message ${number}`}, which does not exist`
      return { invariant: 'I5', what, messages: number === undefined ? [] : [number], clients: [] }
    })
}

const unnamedOne = ({ number, topic }: StoredMessage): Violation => ({
  invariant: 'I5',
  what: `message ${number} of ${topic} is stored and was not delivered, but no queue names it`,
  messages: [number!],
  clients: [],
})

/** I2, after a last subscriber of every topic: with all messages pending a backend that delivers nothing would pass. */
export function undrainedViolations(stored: readonly StoredMessage[], named: readonly NamedMessage[]): Violation[] {
  const names = new Set(named.map(({ msgid }) => msgid))
  const left = stored.filter(({ msgid, number }) => number !== undefined && names.has(msgid))
  return left.map(({ number, topic }) => {
    const what = `message ${number} of ${topic} is pending, but the topic's last subscriber did not get it or it was not acknowledged`
    return { invariant: 'I2', what, messages: [number!], clients: [] }
  })
}

/** I3: acknowledged by a client means that this client has it; of a shared subscription, that some member has. */
function falseAcks({ acked, numbers, members }: Facts): Violation[] {
  const has = (member: Member | undefined, n: number) => member?.receipts.has(n) === true
  return acked.flatMap(({ topic, clientid, msgid }) => {
    const n = numbers.get(msgid ?? '')
    if (n === undefined) return []
    const member = members.find(({ role }) => role.clientid === clientid)
    const shares = member?.role.filters.some((filter) => filter.startsWith('$share/') && filter.endsWith(`/${topic}`)) ?? false
    if (has(member, n) || (shares && members.some((other) => has(other, n)))) return []
    const what = `message ${n} of ${topic} counts as acknowledged by ${clientid}, who did not get it`
    return [{ invariant: 'I3', what, messages: [n], clients: [clientid] }]
  })
}

/** I6: presence rows say who is connected, retained rows what was retained last. */
export interface State<T> {
  /** Client id or topic -> what is true; undefined for nothing. */
  readonly truth: ReadonlyMap<string, T | undefined>
  readonly shown: ReadonlyMap<string, T | undefined>
}

export function presenceViolations({ truth, shown }: State<boolean>): Violation[] {
  return differing({ truth, shown }).map((clientid) => ({
    invariant: 'I6',
    what: `mqtt_client shows ${clientid} as ${presenceWord(shown.get(clientid))}, it is ${presenceWord(truth.get(clientid))}`,
    messages: [],
    clients: [clientid],
  }))
}

const presenceWord = (connected: boolean | undefined) => (connected === undefined ? 'nothing' : connected ? 'connected' : 'disconnected')

export function retainedViolations({ truth, shown }: State<number>): Violation[] {
  const word = (n: number | undefined) => (n === undefined ? 'no message' : `message ${n}`)
  return differing({ truth, shown }).map((topic) => ({
    invariant: 'I6',
    what: `mqtt_retain has ${word(shown.get(topic))} of ${topic}, the last retained publish says ${word(truth.get(topic))}`,
    messages: [truth.get(topic), shown.get(topic)].filter((n) => n !== undefined),
    clients: [],
  }))
}

const differing = <T>({ truth, shown }: State<T>): string[] =>
  [...new Set([...truth.keys(), ...shown.keys()])].filter((key) => truth.get(key) !== shown.get(key))

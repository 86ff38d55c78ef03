import fc from 'fast-check'
import {
  connectionIsOver,
  isNewer,
  type Presence,
  sameConnection,
  subscriptionIsOver,
  VERSION_HORIZON,
} from '../../../lambda/core/model/presence.ts'
import { permutations, permutationsWithRepeat } from '../../support/orders.ts'
import { eventsOf, type PresenceEvent, TIMELINES, truthOf } from '../../support/presence-timelines.ts'

const seconds = (ms: number) => Math.floor(ms / 1000)

/** What client-table.ts does, on a row in memory; test/lambda/adapters/mqtt_client.test.ts holds the two together. */
function applied(row: Presence | undefined, { kind, event }: PresenceEvent): Presence {
  const { clientid, session, version, at: eventAt } = event
  const same = row !== undefined && sameConnection(row, event)
  if (row !== undefined && !same && !isNewer(event, row)) return row
  if (kind === 'connected') {
    if (same) return row.connected ? row : { ...row, onlineAt: seconds(eventAt), connectedAt: eventAt }
    return { clientid, session, version, eventAt, connected: true, onlineAt: seconds(eventAt), connectedAt: eventAt, offlineAt: 0 }
  }
  return {
    clientid,
    session,
    version,
    eventAt,
    connected: false,
    onlineAt: row?.onlineAt ?? 0,
    ...(same && row.connectedAt !== undefined ? { connectedAt: row.connectedAt } : {}),
    offlineAt: seconds(eventAt),
  }
}
const end = (events: readonly PresenceEvent[]) => events.reduce<Presence | undefined>(applied, undefined)

describe('I6: presence ends as the last true event says, in every order of the events and with repetitions', () => {
  it.each(TIMELINES)('%s', (_name, stays) => {
    const events = eventsOf('c', stays)
    const orders = [...permutations(events), ...(events.length <= 5 ? permutationsWithRepeat(events) : [])]
    for (const order of orders) {
      expect({ order: order.map(({ kind, event }) => `${kind} ${event.session}`), ...end(order) }).toMatchObject(truthOf(stays))
    }
  })

  it('of any number of connections, whose versions skip, and start over after more than an hour', () => {
    const stay = fc.record({
      gap: fc.oneof(
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 61, max: 600 }).map((minutes) => minutes * 60_000),
      ),
      lasts: fc.oneof(
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 0, max: 600 }).map((minutes) => minutes * 60_000),
      ),
      skips: fc.integer({ min: 1, max: 3 }),
    })
    const timeline = fc.tuple(fc.array(stay, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([stays, open]) => {
      let at = 0
      let version = 9
      return stays.map(({ gap, lasts, skips }, i) => {
        version = gap > 60 * 60_000 ? 0 : version + skips
        const from = at + gap
        at = from + lasts
        return { version, from, ...(open && i === stays.length - 1 ? {} : { to: at }) }
      })
    })
    const told = timeline.chain((stays) => {
      const events = eventsOf('c', stays)
      return fc.tuple(
        fc.constant(stays),
        fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length, maxLength: 2 * events.length }),
      )
    })
    fc.assert(
      fc.property(told, ([stays, order]) => {
        expect(end(order)).toMatchObject(truthOf(stays))
      }),
      { numRuns: 2_000 },
    )
  })
})

const ROW: Presence = {
  clientid: 'c',
  connected: true,
  onlineAt: 1_800_000_000,
  offlineAt: 0,
  session: 's1',
  version: 5,
  eventAt: 1_800_000_000_000,
}
const at = (delta: number) => ROW.eventAt! + delta

describe('isNewer', () => {
  it.each([
    ['a row that EMQX wrote', { clientid: 'c', connected: true, onlineAt: 1, offlineAt: 0 }, { version: 0, at: 1 }, true],
    ['a higher version nearby', ROW, { version: 6, at: at(-VERSION_HORIZON) }, true],
    ['a lower version nearby', ROW, { version: 4, at: at(VERSION_HORIZON) }, false],
    ['a lower version much later', ROW, { version: 0, at: at(VERSION_HORIZON + 1) }, true],
    ['a higher version much earlier', ROW, { version: 9, at: at(-VERSION_HORIZON - 1) }, false],
    ['the same version, later', ROW, { version: 5, at: at(1) }, true],
    ['the same version at the same time', ROW, { version: 5, at: at(0) }, false],
  ])('%s', (_name, row, event, newer) => {
    expect(isNewer(event, row)).toBe(newer)
  })
})

describe('connectionIsOver', () => {
  const event = { clientid: 'c', session: 's1', version: 5, at: at(0) }
  it.each([
    ['no row', undefined, event, false],
    ['its own row, online', ROW, event, false],
    ['its own row, offline', { ...ROW, connected: false }, event, true],
    ['the row of an older connection', { ...ROW, session: 's0', version: 4 }, event, false],
    ['the row of a newer connection', { ...ROW, session: 's2', version: 6 }, event, true],
  ])('%s', (_name, row, connected, over) => {
    expect(connectionIsOver(row, connected)).toBe(over)
  })
})

describe('subscriptionIsOver: only where the row is sure', () => {
  const event = { session: 's1', at: at(0) }
  const offline = { ...ROW, connected: false }
  it.each([
    ['no row', undefined, false],
    ['a row that EMQX wrote', { clientid: 'c', connected: false, onlineAt: 1, offlineAt: 2 }, false],
    ['its session, online', ROW, false],
    ['its session, offline since later', { ...offline, eventAt: at(1) }, true],
    ['its session, offline since before (a session that goes on)', { ...offline, eventAt: at(-1) }, false],
    ['an older session, online', { ...ROW, session: 's0', eventAt: at(-1) }, false],
    [
      'an older session, offline after the event: its disconnect came late',
      { ...offline, session: 's0', eventAt: at(5_000), onlineAt: 1_799_999_000 },
      false,
    ],
    ['a newer session, online', { ...ROW, session: 's2', eventAt: at(1) }, true],
    ['a newer session, offline again', { ...offline, session: 's2', eventAt: at(9_000), onlineAt: 1_800_000_005 }, true],
    [
      'a newer session of the same second, offline again',
      { ...offline, session: 's2', eventAt: at(9_000), onlineAt: 1_800_000_000, connectedAt: at(500) },
      true,
    ],
  ])('%s', (_name, row, over) => {
    expect(subscriptionIsOver(row, event)).toBe(over)
  })
})

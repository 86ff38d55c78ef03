/**
 * Shortcuts that lose messages, built in on purpose: ports of one run with a fault, and what the checks must say of it.
 * A checker that finds none of them checks nothing.
 */
import type { Ports } from '../../lambda/core/ports.ts'
import type { ItemOperation, ItemRequest } from './dynamodb.ts'
import type { Run } from './handlers.ts'

export interface Mutant {
  readonly name: string
  /** What is violated, for the mutant's own reason. */
  readonly violates: RegExp
  /** Takes more histories than a test has time for: `--mutants` finds it. */
  readonly rare?: true
  readonly ports?: (real: Ports, run: Run) => Ports
  readonly request?: (operation: ItemOperation, request: ItemRequest) => ItemRequest
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the name before the message',
    violates: /^I5: nothing names/,
    rare: true,
    ports: (real) => {
      const late: Promise<unknown>[] = []
      const waiting: (() => Promise<boolean>)[] = []
      return {
        ...real,
        messages: { ...real.messages, put: async (message) => !waiting.push(() => real.messages.put(message)) },
        topics: {
          ...real.topics,
          async add(topic, msgids) {
            const row = await real.topics.add(topic, msgids)
            late.push(...waiting.splice(0).map((put) => put()))
            await Promise.all(late)
            return row
          },
        },
      }
    },
  },
  {
    name: 'no PUBACK taken for delivered',
    violates: /^I3: .* who did not get it/,
    ports: (real) => ({
      ...real,
      device: {
        ...real.device,
        send: async (...args) => {
          const outcome = await real.device.send(...args)
          return outcome === 'unknown' ? 'acked' : outcome
        },
      },
    }),
  },
  {
    name: 'no doubt before a lost connection',
    violates: /^I3: .* client\.disconnected took .* who did not get it/,
    ports: (real) => ({
      ...real,
      device: {
        ...real.device,
        connection: async (clientid) => {
          const connection = await real.device.connection(clientid)
          return connection && { ...connection, keepAlive: 0.001 }
        },
      },
    }),
  },
  {
    name: 'settling in mid-window without proof',
    violates: /^I3: .* message\.publish took .* who did not get it/,
    rare: true,
    ports: (real, run) =>
      run.hook !== 'message.publish'
        ? real
        : { ...real, device: { ...real.device, connection: async () => ({ connected: true, connectedSince: 0, keepAlive: 1 }) } },
  },
  {
    name: 'a stale subscribed event makes its client live',
    violates: /^stale live: .* \(client /,
    ports: (real, run) =>
      run.hook !== 'session.subscribed' ? real : { ...real, clients: { ...real.clients, presence: async () => undefined } },
  },
  {
    name: "an old session's disconnect ends the new one",
    violates: /^not live: /,
    ports: (real, run) =>
      run.hook !== 'client.disconnected'
        ? real
        : {
            ...real,
            topics: {
              ...real.topics,
              async endLive(topic, subscription, entry, end) {
                const live = (await real.topics.head(topic))?.live.get(entry)
                const any = live === undefined ? end : { session: live.session, until: Math.max(end.until, live.at) }
                return real.topics.endLive(topic, subscription, entry, any)
              },
            },
          },
  },
  {
    name: 'a connect clears nothing',
    violates: /^stale live: .* but connected in/,
    ports: (real) => ({ ...real, topics: { ...real.topics, clearOlder: async () => {} } }),
  },
  {
    name: 'first moves past a segment that holds ids',
    violates: /^I5: segment .* is below first/,
    ports: (real) => ({
      ...real,
      topics: { ...real.topics, advanceFirst: (topic, first) => real.topics.advanceFirst(topic, first + 1) },
    }),
  },
  {
    name: 'a full set is taken off the head without being set aside',
    violates: /^I5: nothing names/,
    request: (operation, request) => {
      if (operation !== 'UpdateItem' || !request.UpdateExpression?.startsWith('SET sealing = MsgId')) return request
      return { ...request, UpdateExpression: 'SET seq = seq + :one REMOVE MsgId' }
    },
  },
  {
    name: 'names are taken off without a last look',
    violates: /^I5: nothing names/,
    ports: (real) => {
      let removed = false
      return {
        ...real,
        topics: {
          ...real.topics,
          async removeIds(topic, homes) {
            await real.topics.removeIds(topic, homes)
            removed = true
          },
        },
        messages: {
          ...real.messages,
          async existing(msgids) {
            const skips = removed
            removed = false
            return skips ? new Set<string>() : real.messages.existing(msgids)
          },
        },
      }
    },
  },
  {
    name: 'a lease is nobody else’s business',
    violates: /^I2 order: .* at once/,
    ports: (real) => ({
      ...real,
      topics: {
        ...real.topics,
        lease: async (seat, lease, now) => (await real.topics.lease(seat, lease, now)) ?? real.topics.head(seat.topic),
      },
    }),
  },
  {
    name: 'handing over whatever came in meanwhile',
    violates: /^limbo: /,
    ports: (real) => ({
      ...real,
      topics: {
        ...real.topics,
        async handOver(row, seat, by) {
          await real.clock.sleep(2_000)
          return real.topics.handOver((await real.topics.head(row.topic)) ?? row, seat, by)
        },
      },
    }),
  },
  {
    name: 'a publish looks for no native subscriber',
    violates: /^limbo: nobody got/,
    ports: (real, run) =>
      run.hook !== 'message.publish'
        ? real
        : {
            ...real,
            topics: {
              ...real.topics,
              seats: async (...args) => (await real.topics.seats(...args)).filter(({ live }) => live.kind === 'server'),
            },
          },
  },
]

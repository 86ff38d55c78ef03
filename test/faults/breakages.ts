/** The product, broken on purpose: each of these must be found, and for its own reason. */
import type { Ports } from '../../lambda/core/model/ports.ts'
import { jsonOf } from './http.ts'
import type { Breakage } from './stage.ts'

export interface KnownBreakage extends Breakage {
  readonly name: string
  /** Scenarios in which it shows. */
  readonly where: RegExp
  readonly violates: RegExp
}

const without = (name: 'UnprocessedKeys' | 'UnprocessedItems'): Pick<Breakage, 'answer'> => ({
  answer(answer) {
    const said = jsonOf(answer)
    return name in said ? { ...answer, body: Buffer.from(JSON.stringify({ ...said, [name]: {} })) } : answer
  },
})

const sending = (real: Ports, send: Ports['device']['send']): Ports => ({ ...real, device: { ...real.device, send } })

export const BREAKAGES: readonly KnownBreakage[] = [
  {
    name: 'acknowledged before it is delivered',
    where: /^subscribed: a backlog in the head/,
    violates: /^I3: .* is gone, and nobody got it/,
    ports: (real) =>
      sending(real, async (clientid, message, options) => {
        await real.messages.remove([message.msgid])
        return real.device.send(clientid, message, options)
      }),
  },
  {
    name: 'no PUBACK taken for delivered',
    where: /^subscribed: a backlog in the head/,
    violates: /^I3: .* is gone, and nobody got it/,
    ports: (real) =>
      sending(real, async (...args) => {
        const outcome = await real.device.send(...args)
        return outcome === 'unknown' || outcome === 'silent' ? 'acked' : outcome
      }),
  },
  {
    name: 'no PUBACK taken for not connected',
    where: /^delivered: a server-side subscriber is live/,
    violates: /^I4: .* is pending, but not without faults/,
    ports: (real) =>
      sending(real, async (...args) => {
        const outcome = await real.device.send(...args)
        return outcome === 'silent' ? 'gone' : outcome
      }),
  },
  {
    name: 'UnprocessedItems dropped',
    where: /^subscribed: a backlog in the head/,
    violates: /^I4: .* is pending, but not/,
    ...without('UnprocessedItems'),
  },
  {
    name: 'UnprocessedKeys dropped',
    where: /^subscribed: a backlog in the head/,
    violates: /^I5: nothing names/,
    ...without('UnprocessedKeys'),
  },
  {
    name: 'an error swallowed',
    where: /^publish: a new topic/,
    violates: /^I5: nothing names/,
    ports: (real) => {
      const nothing = {
        topic: 't',
        ids: [],
        seq: 0,
        first: 0,
        late: 0,
        adds: 0,
        live: new Map(),
        hasLive: true,
        spill: 0,
        newest: 0,
        spillServers: false,
        settledAt: 0,
        shareLeft: 0,
      }
      return { ...real, topics: { ...real.topics, add: (topic, msgids) => real.topics.add(topic, msgids).catch(() => nothing) } }
    },
  },
  {
    name: "the handler's clock in a row",
    where: /^publish: a new topic/,
    violates: /^I4: other bytes/,
    ports: (real) => ({
      ...real,
      messages: { ...real.messages, put: (message) => real.messages.put({ ...message, arrived: Math.floor(real.clock.now() / 1000) }) },
    }),
  },
  {
    name: 'the name goes before the message',
    where: /^subscribed: a backlog in the head/,
    violates: /^I5: nothing names/,
    ports: (real) => {
      const late: (readonly string[])[] = []
      return {
        ...real,
        messages: { ...real.messages, remove: async (msgids) => void late.push(msgids) },
        topics: {
          ...real.topics,
          async removeIds(topic, homes) {
            await real.topics.removeIds(topic, homes)
            for (const msgids of late.splice(0)) await real.messages.remove(msgids)
          },
        },
      }
    },
  },
  {
    name: 'the name comes before the message',
    where: /^publish: a new topic/,
    violates: /^I5: nothing names/,
    ports: (real) => {
      const late: (() => Promise<boolean>)[] = []
      return {
        ...real,
        messages: { ...real.messages, put: async (message) => !late.push(() => real.messages.put(message)) },
        topics: {
          ...real.topics,
          async add(topic, msgids) {
            const row = await real.topics.add(topic, msgids)
            for (const put of late.splice(0)) await put()
            return row
          },
        },
      }
    },
  },
  {
    name: 'never handed over to the publishers',
    where: /^created: an operator's row, and a backlog/,
    violates: /^I4: live, but not without faults: .* catching|^I4: not live/,
    ports: (real, { faults }) => (faults.length === 0 ? real : { ...real, topics: { ...real.topics, handOver: async () => true } }),
  },
  {
    name: 'a lease is not given back',
    where: /^delivered: leaves it to the drainer/,
    violates: /^I2: |^I4: .* is pending, but not/,
    ports: (real) => ({ ...real, topics: { ...real.topics, release: async () => {} } }),
  },
  {
    name: 'the subscription goes before its window is settled',
    where: /^disconnected: clean: settles head and segments/,
    violates: /^I4: .* is pending, but not without faults/,
    ports: (real) => ({
      ...real,
      topics: {
        ...real.topics,
        async endLive(topic, subscription, entry, end) {
          await real.subscriptions.unsubscribed(subscription.clientid, subscription.topic, end.session, end.until)
          return real.topics.endLive(topic, subscription, entry, end)
        },
      },
    }),
  },
  {
    name: 'the presence row is written last',
    where: /^disconnected: clean: several topics/,
    violates: /^I6: /,
    ports: (real) => ({ ...real, clients: { ...real.clients, disconnected: (event) => real.clients.disconnected(event).catch(() => {}) } }),
  },
  {
    name: 'a segment is put whatever is there',
    where: /^publish: fills the head/,
    violates: /^I5: nothing names/,
    ports: (real) => ({
      ...real,
      topics: {
        ...real.topics,
        async seal(row) {
          await real.topics.removeIds(row.topic, new Map(row.ids.map((id) => [id, new Set<number>()])))
          await real.topics.add(row.topic, row.ids)
          return true
        },
      },
    }),
  },
]

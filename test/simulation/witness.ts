/** Looks over the handlers' shoulders: who takes what off the queue for whom (I3), and in which order each delivery runs (I2). */

import type { HookName } from '../../lambda/core/hooks.ts'
import type { Ports } from '../../lambda/core/model/ports.ts'
import type { Deed } from './commands.ts'
import type { Receipt, Sending, Sent } from './data-plane.ts'
import type { ItemRequest } from './dynamodb.ts'
import type { Run } from './handlers.ts'
import type { IotCore } from './iot-core.ts'
import type { Operator } from './operator.ts'
import type { Queues } from './queues.ts'
import { retainedWitness } from './retained-witness.ts'
import type { Scheduler } from './scheduler.ts'
import { sliceWitness } from './slice-witness.ts'

/** What was seen while the handlers ran. */
export interface Evidence {
  readonly violations: string[]
  /** Ids that a run was taking off the queue, by run. */
  readonly takenOff: Map<Run, string[]>
  /** Ids of messages that a run stored, also as retained ones, by run. */
  readonly stored: Map<Run, string[]>
  /** Ids that were put on the queue more than once: by another event, by another try, or by the SDK's own. */
  readonly namedAgain: Set<string>
  /** Ids of messages that were settled for somebody who does not acknowledge in time: documented as not promised. */
  readonly unpromised: Set<string>
  /** Windows of native subscribers that were remembered, each try. */
  windows: number
  /** Ids that an operator's purge took off: owed to nobody; and those that one which did not end well was taking off. */
  readonly purged: Set<string>
  readonly halfPurged: Map<Deed, string[]>
  /** Ids of messages that were stored more than once: by another event, or by another try. */
  readonly storedAgain: Set<string>
  /** Receipts that were sent, each try. */
  receipts: number
  /** Messages that two durable subscribers got: a fault, unless the first run failed later on. */
  readonly twice: { readonly first: Run; readonly said: string }[]
}

/**
 * Ids that a run which died or failed was taking off the queue, and those of a repeated publish that died for good: SQS had shown it
 * twice, and the other receive was done.
 */
export function leftBehindIn({ evidence, queues }: { evidence: Evidence; queues: Queues }): ReadonlySet<string> {
  const interrupted = [...evidence.takenOff].filter(([run]) => run.interrupted).flatMap(([, ids]) => ids)
  const given = [...evidence.stored].filter(([run]) => run.interrupted && run.batch.some(({ id }) => queues.abandoned.has(id)))
  // A purge deletes the message first, so it leaves its row only where a repeated publish has stored it again.
  const half = namesLeftBehind(evidence).filter((id) => evidence.storedAgain.has(id))
  return new Set([...interrupted, ...given.flatMap(([, ids]) => ids), ...half])
}

/** Ids that a purge which did not end well was taking off: their names may stand without a message. */
export const namesLeftBehind = ({ halfPurged }: Evidence): string[] =>
  [...halfPurged].filter(([deed]) => deed.interrupted).flatMap(([, ids]) => ids)

const DRAINS: readonly HookName[] = ['session.subscribed', 'session.created']

interface Watched {
  readonly iotCore: IotCore
  readonly queues: Queues
  readonly scheduler: Scheduler
  readonly operator: Operator
  /** Topics are kept for many: several subscribers get a message. */
  readonly many: boolean
  /** Ids in segments of the topic, by number. */
  readonly positionsOf: (topic: string, from: number, to: number) => string[]
  readonly note: (line: string) => void
}

/** Watches acknowledgements (I3) and the order of each delivery (I2) as they happen. */
export function witness({ iotCore, queues, scheduler, operator, many, positionsOf, note }: Watched) {
  const evidence: Evidence = {
    violations: [],
    takenOff: new Map(),
    stored: new Map(),
    namedAgain: new Set(),
    unpromised: new Set(),
    twice: [],
    windows: 0,
    purged: new Set(),
    halfPurged: new Map(),
    storedAgain: new Set(),
    receipts: 0,
  }
  const truth = retainedWitness((violation) => evidence.violations.push(violation))
  const slices = sliceWitness(iotCore, () => scheduler.now)
  const nameOf = (msgid: string) => iotCore.byId.get(msgid)?.name ?? msgid
  const namedAt = new Map<string, number>()
  const everNamed = new Set<string>()
  const acknowledged = new Set<string>()
  /** Stored once more by a copy of their event after they were acknowledged: delivered again, in no order (docs/guarantees.md). */
  const replayed = new Set<string>()
  const writes = (run: Run, msgids: readonly string[]) => evidence.stored.set(run, [...(evidence.stored.get(run) ?? []), ...msgids])
  const everStored = new Set<string>()
  function stores(run: Run, msgids: readonly string[]): void {
    writes(run, msgids)
    for (const id of msgids) {
      if (everStored.has(id)) evidence.storedAgain.add(id)
      everStored.add(id)
    }
    for (const id of msgids) if (acknowledged.has(id)) replayed.add(id)
  }
  const sendings = new Map<string, { run: Run; msgid: string }[]>()

  /** Run -> when it began; run, client, topic and whether it is retained -> when its last direct message ended: whoever asks each time asks after that. */
  const begun = new Map<Run, number>()
  const lastEnd = new Map<string, number>()
  const stream = (run: Run, { clientid, msgid, retained }: Sending) =>
    `${run.number} ${clientid} ${iotCore.byId.get(msgid)?.topic} ${retained}`

  /** I13: the operator's row stood when it was asked. Several events of a batch may send to the client side by side. */
  function sends(run: Run, message: Sending): void {
    const { clientid } = message
    const client = iotCore.clients.get(clientid)!
    // What IoT Core holds of a topic is sent under an id of its own.
    const { topic, name } = iotCore.byId.get(message.msgid) ?? {}
    if (topic === undefined) return
    const tooLate = slices.sends(run, message)
    if (tooLate !== undefined) evidence.violations.push(tooLate)
    if (!message.retained) givenTwice(run, clientid, message.msgid)
    const asked = (run.batch.length === 1 ? lastEnd.get(stream(run, message)) : undefined) ?? begun.get(run)!
    if (client.operator.length === 0 || operator.stoodAfter(client, topic, asked)) return
    evidence.violations.push(`I13: #${run.number} ${run.hook} sends ${name} to ${clientid}, whose operator's row for ${topic} is gone`)
  }

  /** Run and durable subscriber that acknowledged a message. */
  const confirmed = new Map<string, { run: Run; clientid: string }[]>()

  /** Of durable subscribers one gets a message. Where a run dies, its event is shown twice, or the message is stored again, another may. */
  function givenTwice(run: Run, clientid: string, msgid: string): void {
    const client = iotCore.clients.get(clientid)!
    if (!client.durable || client.listens || many || replayed.has(msgid) || evidence.namedAgain.has(msgid)) return
    const doubled = (one: Run) => one.batch.some(({ id }) => queues.doubled.has(id))
    const other = confirmed.get(msgid)?.find((one) => !doubled(one.run) && one.clientid !== clientid)
    if (other === undefined || doubled(run)) return
    evidence.twice.push({
      first: other.run,
      said: `I12 twice: #${run.number} sends ${nameOf(msgid)} to ${clientid}, though #${other.run.number} gave it to ${other.clientid}`,
    })
  }

  function sent(run: Run, { clientid, msgid, retained, topic: to, payload, outcome }: Sent): void {
    if (retained) truth.sends(run, clientid, to.replace(/^durable\//, ''), payload)
    lastEnd.set(stream(run, { clientid, msgid, retained }), operator.moment())
    note(`#${run.number} sends ${nameOf(msgid)} to ${clientid}: ${outcome}`)
    const topic = iotCore.byId.get(msgid)?.topic ?? ''
    const { durable, listens } = iotCore.clients.get(clientid)!
    if (durable && !listens && !retained && outcome === '200') confirmed.set(msgid, [...(confirmed.get(msgid) ?? []), { run, clientid }])
    // What IoT Core holds of a topic is sent under an id of its own: our row was older.
    const published = iotCore.byId.get(msgid) ?? (retained ? iotCore.published.find((one) => one.payload === payload) : undefined)
    const wanted = `${durable ? 'durable/' : ''}${published?.topic}`
    if (to !== wanted) evidence.violations.push(`I12: ${nameOf(msgid)} was sent to ${clientid} on ${to}, wanted ${wanted}`)
    if (payload !== published?.payload) evidence.violations.push(`I1: ${nameOf(msgid)} was sent to ${clientid} with another payload`)
    // A batch may drain for the same client twice, one event after the other.
    if (retained || !DRAINS.includes(run.hook) || run.batch.length > 1 || run.batch[0]!.label.startsWith('deliver ')) return
    const key = `${clientid} ${topic}`
    const all = sendings.get(key) ?? []
    sendings.set(key, all)
    const mine = all.filter((one) => one.run === run)
    const later = mine.find((other) => iotCore.isOlder(msgid, other.msgid))
    const anew = !mine.some((other) => other.msgid === msgid)
    // Of competing consumers one may not have taken it, and the next gets it after younger ones.
    const passedOn = [...sendings.values()].some((some) => some !== all && some.some((one) => one.run === run && one.msgid === msgid))
    if (
      later !== undefined &&
      anew &&
      !(durable && passedOn) &&
      !replayed.has(msgid) &&
      // What a repeated publish named once more stands in the log twice.
      !(many && evidence.namedAgain.has(msgid)) &&
      !movedBack.has(key) &&
      (namedAt.get(msgid) ?? Number.POSITIVE_INFINITY) < run.startedAt
    ) {
      evidence.violations.push(`I2 order: #${run.number} sent ${nameOf(msgid)} to ${clientid} after ${nameOf(later.msgid)}`)
    }
    const between = all.slice(mine.length === 0 ? all.length : all.lastIndexOf(mine.at(-1)!) + 1)
    const other = between.find((one) => one.run.batch[0]!.id !== run.batch[0]!.id && one.run.batch[0]!.label === run.batch[0]!.label)
    const session = run.batch[0]!.label.split(' ')[1]!
    const stands = iotCore.clients.get(clientid)?.connection?.session === session && !iotCore.restarted.has(session)
    const shared = other !== undefined && [run, other.run].some(({ batch }) => queues.doubled.has(batch[0]!.id))
    // Who ends a seat ends its lease: if its row is added again meanwhile, another may drain before this one has seen it.
    if (other !== undefined && stands && !shared && !operator.wasDeleted(clientid, topic)) {
      evidence.violations.push(`I2 order: #${run.number} and #${other.run.number} drain ${topic} for ${clientid} at once`)
    }
    all.push({ run, msgid })
  }

  /** Its message's sender asked for it, and the client that it names has acknowledged the message already. */
  function receipt(run: Run, { to, topic, correlation, payload: { msgid, clientid, topic: of } }: Receipt): void {
    evidence.receipts++
    const name = nameOf(msgid)
    note(`#${run.number} sends ${to} a receipt for ${name} by ${clientid}`)
    const message = iotCore.byId.get(msgid)
    const isRight =
      message?.asked && to === message.sender && topic === `replies/${to}` && correlation === message.name && of === message.topic
    if (!isRight) evidence.violations.push(`receipt: #${run.number} sends ${to} one for ${name} of ${message?.sender} on ${topic}`)
    if (!iotCore.clients.get(clientid)?.confirmed.has(msgid))
      evidence.violations.push(`receipt: #${run.number} says that ${clientid} has ${name}, who did not acknowledge it`)
  }

  /** Client and topic: an earlier SUBSCRIBE, whose event came late, moved the read position back while it was read. */
  const movedBack = new Set<string>()

  /** I12: a read position moves by PUBACKs of its client alone: those that we saw, or of a native subscriber those that IoT Core surely got. */
  function moves(run: Run, clientid: string, msgid: string): void {
    const client = iotCore.clients.get(clientid)!
    if (client.durable ? client.confirmed.has(msgid) : iotCore.hasAcknowledged(client, msgid)) return
    if (evidence.purged.has(msgid)) return
    evidence.violations.push(`I12: #${run.number} ${run.hook} moved ${clientid} past ${nameOf(msgid)}, which it did not acknowledge`)
  }

  function ports(run: Run, real: Ports): Ports {
    begun.set(run, operator.moment())
    // acknowledge() names the newest id and its client, and takes off the messages in the same breath.
    let acker: { clientid: string; newest: string } | undefined
    return {
      ...real,
      acked: {
        ...real.acked,
        put(topic, clientid, msgid) {
          acker = { clientid, newest: msgid }
          return real.acked.put(topic, clientid, msgid)
        },
        begin(topic, clientid, place, before) {
          if (before !== undefined) movedBack.add(`${clientid} ${topic}`)
          return real.acked.begin(topic, clientid, place, before)
        },
        addSeen(topic, clientid, ids, home) {
          for (const id of ids) moves(run, clientid, id)
          return real.acked.addSeen(topic, clientid, ids, home)
        },
        addWindow(topic, clientid, window) {
          evidence.windows++
          return real.acked.addWindow(topic, clientid, window)
        },
        passWindows(topic, clientid, windows, proven) {
          for (const id of proven.ids) if (!iotCore.hasExpired(id)) moves(run, clientid, id)
          return real.acked.passWindows(topic, clientid, windows, proven)
        },
        fold(topic, clientid, from, move) {
          for (const id of positionsOf(topic, from.seq, move.to))
            if (iotCore.byId.get(id)!.at >= from.since && !iotCore.hasExpired(id)) moves(run, clientid, id)
          return real.acked.fold(topic, clientid, from, move)
        },
      },
      messages: {
        ...real.messages,
        // In half of the runs as few as two, which are as good as a whole request of them.
        putAllFrom: run.number % 2 === 0 ? 2 : real.messages.putAllFrom,
        put(message) {
          stores(run, [message.msgid])
          return real.messages.put(message)
        },
        putAll(messages) {
          stores(
            run,
            messages.map(({ msgid }) => msgid),
          )
          return real.messages.putAll(messages)
        },
        remove(msgids) {
          const clientid = acker && msgids.includes(acker.newest) ? acker.clientid : undefined
          note(`#${run.number} removes ${msgids.map(nameOf)} for ${clientid}`)
          evidence.takenOff.set(run, [...(evidence.takenOff.get(run) ?? []), ...msgids])
          for (const id of msgids) {
            acknowledged.add(id)
            const delivery = clientid === undefined ? 'none' : iotCore.deliveryTo(clientid, id)
            if (delivery === 'unpromised') evidence.unpromised.add(id)
            // Who subscribes durably has acknowledged it itself.
            const isProven = !iotCore.clients.get(clientid ?? '')?.durable || iotCore.clients.get(clientid ?? '')!.confirmed.has(id)
            if (!isProven)
              evidence.violations.push(`I12: #${run.number} ${run.hook} took ${nameOf(id)} off for ${clientid}, who did not acknowledge it`)
            if (delivery === 'none')
              evidence.violations.push(`I3: #${run.number} ${run.hook} took ${nameOf(id)} off for ${clientid}, who did not get it`)
          }
          return real.messages.remove(msgids)
        },
      },
      retained: {
        ...real.retained,
        async put(message) {
          writes(run, [message.msgid])
          // It follows IoT Core's answer at once. In half of the runs the SDK takes some tries for it, and the topic is cleared meanwhile.
          if (run.number % 2 === 0) await scheduler.turn(run, 2_000)
          return real.retained.put(message)
        },
      },
      topics: {
        ...real.topics,
        async add(topic, msgids) {
          const row = await real.topics.add(topic, msgids)
          for (const id of msgids) if (!namedAt.has(id)) namedAt.set(id, scheduler.now)
          return row
        },
        async removeIds(topic, homes) {
          evidence.takenOff.set(run, [...(evidence.takenOff.get(run) ?? []), ...homes.keys()])
          const forget = () => {
            for (const id of homes.keys()) namedAt.delete(id)
          }
          forget()
          await real.topics.removeIds(topic, homes)
          // Also what another run named while this was under way.
          forget()
        },
      },
    }
  }

  /** A purge takes off what waited when it looked, and nothing that was published later. */
  function purging(deed: Deed, real: Ports, before = Number.POSITIVE_INFINITY): Ports {
    let looked: number | undefined
    const takesOff = (ids: readonly string[]) => {
      evidence.halfPurged.set(deed, [...(evidence.halfPurged.get(deed) ?? []), ...ids])
      for (const id of ids) {
        if ((iotCore.byId.get(id)?.publishedAt ?? 0) > (looked ?? 0))
          evidence.violations.push(`purge: ${deed.label} takes off ${nameOf(id)}, which was published after it had looked`)
        if ((iotCore.byId.get(id)?.at ?? 0) >= before)
          evidence.violations.push(`purge: ${deed.label} takes off ${nameOf(id)}, which is newer`)
        evidence.purged.add(id)
        acknowledged.add(id)
        namedAt.delete(id)
      }
    }
    return {
      ...real,
      topics: {
        ...real.topics,
        async head(topic) {
          const row = await real.topics.head(topic)
          looked ??= scheduler.now
          return row
        },
        async removeIds(topic, homes) {
          takesOff([...homes.keys()])
          await real.topics.removeIds(topic, homes)
        },
      },
      messages: {
        ...real.messages,
        remove(ids) {
          note(`${deed.label} removes ${ids.map(nameOf)}`)
          takesOff(ids)
          return real.messages.remove(ids)
        },
      },
    }
  }

  /** Also an update that the SDK repeated because its answer was lost. */
  function observe(request: ItemRequest): void {
    // A name that goes from a segment goes for good, also where who sealed it found no message.
    if (request.UpdateExpression === 'DELETE MsgId :ids')
      for (const id of request.ExpressionAttributeValues?.[':ids']?.SS ?? []) namedAt.delete(id)
    if (!request.UpdateExpression?.startsWith('ADD MsgId')) return
    for (const id of request.ExpressionAttributeValues?.[':ids']?.SS ?? []) {
      if (everNamed.has(id)) evidence.namedAgain.add(id)
      everNamed.add(id)
    }
  }

  return { evidence, observe, purging, watch: { sends, sent, receipt, told: truth.told, ports } }
}

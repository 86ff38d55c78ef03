/** What must hold when the faults are over and the queues are empty (DESIGN.md, section 4). */
import { compareMsgids } from '../../lambda/core/msgid.ts'
import { topicMatches } from '../../lambda/core/topic.ts'
import type { Row } from '../simulation/rows.ts'
import { allowedTo } from '../support/call-log.ts'
import type { Received } from './data-plane.ts'
import type { Leave } from './fault.ts'
import { type FinalState, text } from './final-state.ts'
import type { Setting } from './scenario.ts'
import type { Stage } from './stage.ts'

export interface Ending {
  readonly state: FinalState
  readonly received: readonly Received[]
}

/** Every payload of a scenario begins with it: no log line may hold it (I10). */
export const CANARY = 'canary-'

/** What holds for every run. `undisturbed`: how it ends without faults, in either order with a rival. `leaves`: what faults may leave. */
export function always(stage: Stage, ending: Ending, undisturbed: readonly Ending[], leaves: readonly Leave[] = []): string[] {
  const { state } = ending
  return [
    ...state.wrong,
    ...stage.deadLetters.map((letter) => `I1: ${letter} stays a dead letter, though nothing goes wrong any more`),
    ...lost(stage.setting, ending, undisturbed),
    ...[...state.acked].flatMap(([who, msgid]) => untrueAck(stage.setting, ending, who, msgid)),
    ...names(stage, ending, leaves),
    ...ungranted(stage),
    ...stage.logs.filter((line) => line.includes(CANARY)).map((line) => `I10: a payload in the log: ${line}`),
  ]
}

/** I1 and I3: what stood there or was published is stored, or somebody has it. */
function lost({ snapshot, scenario, had = {} }: Setting, { state, received }: Ending, undisturbed: readonly Ending[]): string[] {
  const payloads = new Map<string, string>()
  const stored = [...snapshot.mqtt_msg, ...undisturbed.flatMap((one) => [...one.state.stored.values()])]
  for (const row of stored) payloads.set(row.msgid?.S ?? '', row.payload?.S ?? '')
  const delivered = scenario.unqueued ? [] : undisturbed.flatMap((one) => one.received)
  for (const { msgid, payload, retain } of delivered) if (!retain) payloads.set(msgid, payload)
  const somebodyHas = (msgid: string, payload: string) =>
    received.some((one) => one.msgid === msgid) || Object.values(had).some((has) => has.includes(payload))
  const expired = undisturbed.flatMap((one) =>
    one === undisturbed[0] ? [...payloads.keys()].filter((id) => vanishes(one, id, had, payloads)) : [],
  )
  return [...payloads]
    .filter(([msgid, payload]) => !state.stored.has(msgid) && !somebodyHas(msgid, payload) && !expired.includes(msgid))
    .map(([, payload]) => `I3: ${payload} is gone, and nobody got it`)
}

/** Also without faults it goes, and nobody gets it: it has expired. */
const vanishes = ({ state, received }: Ending, id: string, had: Setting['had'] = {}, payloads: ReadonlyMap<string, string>): boolean =>
  !state.stored.has(id) &&
  !received.some((one) => one.msgid === id) &&
  !Object.values(had).some((has) => has.includes(payloads.get(id) ?? ''))

/** I3: who is said to have acknowledged has it. */
function untrueAck({ snapshot, had = {} }: Setting, { state, received }: Ending, who: string, msgid: string): string[] {
  const clientid = who.split(' ').slice(1).join(' ')
  const payload = [...snapshot.mqtt_msg, ...state.stored.values()].find((row) => row.msgid?.S === msgid)?.payload?.S
  const before = snapshot.mqtt_acked.some((row) => row.msgid?.S === msgid && row.clientid?.S === clientid)
  const has = received.some((one) => one.msgid === msgid && one.clientid === clientid) || had[clientid]?.includes(payload ?? '')
  return has || before ? [] : [`I3: mqtt_acked says that ${clientid} has ${payload ?? msgid}, which it did not get`]
}

/**
 * I5. An invocation that died between a message and its name leaves the name, which the next reader cleans. If it had stored a delivered
 * message once more, and nobody repeats it, it leaves the row.
 */
function names({ setting, disturbed }: Stage, { state: { stored, named }, received }: Ending, leaves: readonly Leave[]): string[] {
  const leftBehind = (id: string) => leaves.includes('again') && received.some(({ msgid }) => msgid === id)
  const history = (topic: string) => setting.configs[0]!.history.some((filter) => topicMatches(filter, topic))
  return [
    ...[...named].filter(([id]) => !stored.has(id) && !disturbed).map(([id, where]) => `I5: ${where} names ${id}, which does not exist`),
    ...[...stored.values()]
      .filter((row) => !named.has(row.msgid?.S ?? '') && !leftBehind(row.msgid?.S ?? '') && !history(row.topic?.S ?? ''))
      .map((row) => `I5: nothing names ${row.payload?.S}, which is stored`),
  ]
}

/** I9: each call is one that the hook's role allows. */
function ungranted({ setting, all }: Stage): string[] {
  return [...new Set(all.map(({ hook }) => hook))].flatMap((hook) => {
    const allowed = allowedTo(setting.configs.find((one) => one.hook === hook)!, setting.retainIndex)
    const calls = new Set(all.filter((one) => one.hook === hook).flatMap((one) => one.calls.map(({ name }) => name)))
    return [...calls].filter((name) => !allowed.includes(name)).map((name) => `I9: ${hook} calls ${name}, which grants.ts does not grant`)
  })
}

/** I2: a client gets a topic's messages oldest first, whatever comes again later. */
export function order({ received }: Ending): string[] {
  const firsts = received.filter(
    (one, i) => !one.retain && received.findIndex((other) => other.msgid === one.msgid && other.clientid === one.clientid) === i,
  )
  return firsts.flatMap((one, i) => {
    const later = firsts
      .slice(0, i)
      .find((other) => other.clientid === one.clientid && other.topic === one.topic && compareMsgids(other.msgid, one.msgid) > 0)
    return later === undefined ? [] : [`I2: ${one.clientid} got ${one.payload} after ${later.payload}`]
  })
}

/** I4: the run ends as one without faults does, but for what the fault may leave. */
export function differences(ending: Ending, wanted: Ending, leaves: readonly Leave[]): string[] {
  const { state, received } = ending
  const pendingMay = leaves.some((leave) => ['undelivered', 'unsettled', 'rivalled'].includes(leave))
  // Who cannot be reached stays to be caught up with: whoever publishes next goes on. So it is with the lease of a receive that died.
  const seats = (one: Ending) =>
    leaves.includes('undelivered') || leaves.includes('again')
      ? one.state.live.map((seat) => seat.replace(/ catching$/, ''))
      : one.state.live
  const somebodyGot = (id: string) => received.some(({ msgid }) => msgid === id)
  const mayComeAgain = (id: string) => leaves.includes('again') && somebodyGot(id)
  const missing = <T>(all: readonly T[], from: readonly T[]) => all.filter((one) => !from.includes(one))
  const extra = [...state.stored.keys()].filter((id) => !wanted.state.stored.has(id) && !mayComeAgain(id))
  const fewer = [...wanted.state.stored.keys()].filter((id) => !state.stored.has(id))
  // When a PUBACK came is the clock's; who acknowledged is not, where somebody did.
  const kept = ({ acked_at: _when, acked_by, ...row }: Row) => text(acked_by === undefined || pendingMay ? row : { ...row, acked_by })
  const changed = [...state.stored].filter(([id, row]) => wanted.state.stored.has(id) && kept(row) !== kept(wanted.state.stored.get(id)!))
  const ungot = wanted.received.filter((one) => !received.some((other) => sameDelivery(one, other, leaves)))
  return [
    ...missing(wanted.state.decided, state.decided).map((row) => `I6: missing: ${row}`),
    ...missing(state.decided, wanted.state.decided).map((row) => `I6: not without faults: ${row}`),
    ...(leaves.includes('silent') ? [] : missing(seats(wanted), seats(ending))).map((seat) => `I4: not live: ${seat}`),
    ...(leaves.includes('again') ? [] : missing(seats(ending), seats(wanted))).map((seat) => `I4: live, but not without faults: ${seat}`),
    ...(pendingMay ? [] : extra.map((id) => `I4: ${state.stored.get(id)?.payload?.S} is pending, but not without faults`)),
    ...fewer
      .filter((id) => !leaves.includes('rivalled') || !somebodyGot(id))
      .map((id) => `I4: ${wanted.state.stored.get(id)?.payload?.S} is pending without faults, and gone here`),
    ...changed.map(([, row]) => `I4: other bytes than without faults: ${text(row)}`),
    ...(leaves.includes('undelivered')
      ? []
      : ungot.map((one) => `I2: ${one.clientid} did not get ${one.retain ? 'retained ' : ''}${one.payload}`)),
    ...(pendingMay || leaves.includes('to either') || leaves.includes('acked late') ? [] : ackDifferences(state, wanted.state)),
  ]
}

const sameDelivery = (a: Received, b: Received, leaves: readonly Leave[]): boolean =>
  (a.clientid === b.clientid || leaves.includes('to either')) && a.msgid === b.msgid && a.retain === b.retain

/**
 * An acknowledgement is written side by side with the removal of its messages: where it fails and that does not, the next try finds
 * nothing to acknowledge, and `mqtt_acked` lacks the row.
 */
const ACKNOWLEDGED_BESIDE = true

/** Whose last acknowledgement is remembered. Which one that is depends on retries: {@link untrueAck} checks that it was made. */
function ackDifferences({ acked }: FinalState, wanted: FinalState): string[] {
  return [
    ...[...acked.keys()].filter((who) => !wanted.acked.has(who)).map((who) => `I4: mqtt_acked knows ${who}, but not without faults`),
    ...[...wanted.acked.keys()]
      .filter((who) => !acked.has(who) && !ACKNOWLEDGED_BESIDE)
      .map((who) => `I4: mqtt_acked says nothing of ${who}`),
  ]
}

/** I2 and I5, after a fresh subscriber of every topic: it got all that was pending, oldest first, and nothing is left. */
export function drained(pending: FinalState, { state, received }: Ending, subscriber: string, setting: Setting): string[] {
  const taken = (topic: string) => setting.configs[0]!.acked.some((filter) => topicMatches(filter, topic))
  const got = new Set(received.filter(({ clientid }) => clientid === subscriber).map(({ msgid }) => msgid))
  const due = [...pending.stored].filter(([id, row]) => pending.named.has(id) && row.expires_at === undefined)
  const left = [...state.named].filter(([id]) => taken(state.stored.get(id)?.topic?.S ?? setting.configs[0]!.acked[0] ?? ''))
  return [
    ...due.filter(([id]) => !got.has(id)).map(([, row]) => `I2: ${row.payload?.S} was pending, and the fresh subscriber did not get it`),
    ...left.map(
      ([id, where]) => `I5: ${where} names ${state.stored.get(id)?.payload?.S ?? id} after a fresh subscriber has taken everything`,
    ),
    ...(taken('any')
      ? [...state.stored.values()]
          .filter((row) => !pending.stored.has(row.msgid?.S ?? ''))
          .map((row) => `I5: ${row.payload?.S} came from nowhere`)
      : []),
    ...state.wrong,
  ]
}

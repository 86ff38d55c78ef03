/**
 * Delivers a topic's queue to its durable subscribers, which compete for it: a message goes to one of them. One event at a time has the
 * topic's dispatch lease. Who leaves messages to that event, or joins, changes `adds`: so it looks again before it ends.
 */
import { BackendError } from '../errors.ts'
import type { Context } from '../model/ports.ts'
import { subscriptionIsOver } from '../model/presence.ts'
import { subscriberOf } from '../model/seat.ts'
import type { TopicRow } from '../model/topic-row.ts'
import { DispatchRun, type PassedOver } from './dispatch-run.ts'
import { endSilent, hasJustArrived } from './drain-stop.ts'
import { requestNextSlice } from './slice.ts'

/** How long before the next try of an event its lease may end, so that no publish goes on with it before. Milliseconds. */
const NEXT_TRY = 60_000
/** Attempts to get the lease or to be noticed by who has it, before the event goes back to its queue. */
const ROUNDS = 12

export interface Dispatch {
  readonly topic: string
  /** Milliseconds: when the client subscribed or the publish came in; expiry counts from here. */
  readonly at: number
  /** A durable subscriber has come: it need not wait for an event that rests. */
  readonly joins: boolean
}

/** @throws BackendError where the event must be tried again; what was acknowledged stays acknowledged */
export async function dispatch(context: Context, { topic, at, joins }: Dispatch): Promise<void> {
  const { ports, invocation } = context
  for (let round = 0; round < ROUNDS; round++) {
    const lease = { by: invocation.id, until: invocation.deadline }
    const row = await ports.topics.claimDispatch(topic, lease, { now: ports.clock.now(), wakes: joins })
    if (row !== undefined) return dispatchFrom(context, row, { topic, at, joins })
    if (!joins || (await ports.topics.joinDispatch(topic, ports.clock.now()))) return
  }
  throw unfinished(topic, `subscribers changed during each of ${ROUNDS} attempts`)
}

async function dispatchFrom(context: Context, row: TopicRow, how: Dispatch): Promise<void> {
  const run = new DispatchRun(context, how.topic, how.at)
  try {
    await dispatched(context, run, row, how)
  } finally {
    // Another event may have the lease by now: nobody waits for them.
    await run.receipts.sent()
  }
}

async function dispatched(context: Context, run: DispatchRun, row: TopicRow, { topic, joins, at }: Dispatch): Promise<void> {
  const [delivered] = await Promise.allSettled([untilNothingIsLeft(context, run, row, at)])
  const [saved] = await Promise.allSettled([run.writeAcks()])
  const failed = [delivered, saved].find((result) => result.status === 'rejected')
  if (failed === undefined) return joins ? checkRights(run, topic) : undefined
  // Unless it rests, or somebody else goes on already.
  await Promise.allSettled([run.rests ? undefined : context.ports.topics.releaseDispatch(row.topic, context.invocation.id)])
  throw failed.reason
}

async function untilNothingIsLeft(context: Context, run: DispatchRun, claimed: TopicRow, at: number): Promise<void> {
  const { topics } = context.ports
  const { id } = context.invocation
  let row: TopicRow | undefined = claimed
  // The lease may have run out, and be another event's by now: then that one goes on.
  while (row?.dispatch?.by === id) {
    const isLeft = await run.deliver(row)
    if (isLeft && run.letsGo()) return letGo(context, row.topic, at)
    if (run.isLate()) throw unfinished(row.topic, 'time is up with messages left')
    if (isLeft ? await giveUp(context, run, row) : await topics.endDispatch(row, id)) return
    row = await topics.head(row.topic)
  }
}

/** The slice is over: the lease is free for whoever comes first, and this request is the last to come. */
async function letGo(context: Context, topic: string, at: number): Promise<void> {
  await context.ports.topics.releaseDispatch(topic, context.invocation.id)
  await requestNextSlice(context, topic, { at })
}

/** All were passed over with messages left. Returns whether that is the end; else something came in since. */
async function giveUp(context: Context, run: DispatchRun, row: TopicRow): Promise<boolean> {
  const { ports, invocation } = context
  const { id: by, deadline } = invocation
  const again = await those(run.passedOver, (one) => mayComeBack(context, one))
  const silent = again.filter(({ outcome }) => outcome === 'silent')
  if (invocation.receives === 1 && silent.length === again.length && silent.length > 0) {
    // New messages are left to the next try, and wait for these clients no more than it does.
    if (!(await ports.topics.restDispatch(row, { by, until: deadline + NEXT_TRY }))) return false
    run.rests = true
  } else if (again.length > silent.length) {
    throw unfinished(row.topic, WHY[again.find(({ outcome }) => outcome !== 'silent')!.outcome])
  } else {
    for (const { seat } of silent) await endSilent(context, seat)
    if (!(await ports.topics.endDispatch(row, by))) return false
  }
  if (run.rests) throw unfinished(row.topic, WHY.silent)
  return true
}

/** A missing right is not found by trying a publish again: its message stays queued, and the client's next SUBSCRIBE says what is wrong. */
function checkRights({ passedOver }: DispatchRun, topic: string): void {
  const forbidden = passedOver.find(({ outcome }) => outcome === 'forbidden')
  if (forbidden === undefined) return
  throw new BackendError(
    'receive-forbidden',
    `client '${subscriberOf(forbidden.seat).clientid}', topic '${topic}': direct message refused (403), wanted iot:Receive for the client and iot:SendDirectMessage for us`,
  )
}

async function mayComeBack({ ports }: Context, { seat, outcome }: PassedOver): Promise<boolean> {
  if (outcome !== 'gone') return outcome !== 'forbidden' && outcome !== 'ended'
  if (!hasJustArrived(seat.live, ports.clock.now())) return false
  return !subscriptionIsOver(await ports.clients.presence(subscriberOf(seat).clientid), seat.live)
}

async function those<T>(all: readonly T[], holds: (one: T) => Promise<boolean>): Promise<T[]> {
  const answers = await Promise.all(all.map(holds))
  return all.filter((_, i) => answers[i])
}

const WHY: Readonly<Record<PassedOver['outcome'], string>> = {
  gone: 'no durable subscriber is reachable yet',
  silent: 'no durable subscriber acknowledges',
  unknown: 'IoT Core failed with the messages to all durable subscribers',
  late: 'messages to all durable subscribers were refused for their rate',
  throttled: 'messages to all durable subscribers were refused for their rate',
  forbidden: 'direct messages were refused (403)',
  ended: 'no durable subscriber is left',
}

const unfinished = (topic: string, why: string): BackendError =>
  new BackendError('unfinished', `topic '${topic}': ${why}; continues at the next try`)

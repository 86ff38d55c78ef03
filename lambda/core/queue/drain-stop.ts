/** What becomes of a drain that cannot go on: its lease, its seat, and its event. */

import { BackendError } from '../errors.ts'
import type { Context } from '../model/ports.ts'
import { subscriptionIsOver } from '../model/presence.ts'
import { type Seat, subscriberOf } from '../model/seat.ts'
import type { Live } from '../model/topic-row.ts'
import type { Drain, Run, Stop } from './drain-run.ts'
import { standingOf } from './operator-rows.ts'
import { UNANSWERED } from './patient-sender.ts'
import { namedSeat, requestNextSlice } from './slice.ts'

/**
 * For so long after a connect or SUBSCRIBE the data plane may not know the client yet. Later, "not connected" is believed whatever the
 * client's row says: its disconnected event is late or lost. Milliseconds.
 */
const ARRIVAL = 60_000
export const hasJustArrived = (live: Live, now: number): boolean => now - live.at <= ARRIVAL

/** How long before the next try of an event its lease may end, so that no publish goes on with it before. Milliseconds. */
const NEXT_TRY = 60_000

/** Without its operator's row the seat ends, and its lease with it; messages that were not sent stay queued. */
export async function giveUp(context: Context, seat: Seat, stop: Stop | undefined, run: Progress): Promise<void> {
  const { invocation, ports } = context
  const { topics, clock } = ports
  if (stop === 'silent') {
    limitSilence(context, seat, run)
    // Publishers leave their messages to the next try of this event, and wait for the client no more than it does.
    if (mayComeBack(context, run)) await topics.lease(seat, { by: invocation.id, until: invocation.deadline + NEXT_TRY }, clock.now())
    else await topics.endSilent(seat)
    return
  }
  const withoutRow = stop === 'ended' && (await standingOf(ports, seat)?.()) === false
  if (withoutRow && (await topics.endServer(seat))) return
  await topics.release(seat, invocation.id)
}

type Progress = Pick<Run, 'progressed' | 'left'>
/** An event of a client that acknowledges now and then ends before it becomes a dead letter: at its 20th receive at the earliest. */
export const RECEIVES = 15

/**
 * A silent client gets one more try, when SQS shows the event again, and another after each in which it acknowledged something. Then it is
 * no subscriber any more until it comes again.
 */
const mayComeBack = ({ invocation: { receives } }: Context, { progressed }: Progress): boolean =>
  receives === 1 || (progressed && receives < RECEIVES)

/** @throws BackendError where the event must be tried again */
export async function checkStop(context: Context, { seat, clientid, justArrived, at }: Drain, stop: Stop, run: Progress): Promise<void> {
  if (stop === 'sliced') return requestNextSlice(context, seat.topic, { at, seat: namedSeat(seat), left: run.left() })
  if (stop === 'forbidden') {
    throw new BackendError(
      'receive-forbidden',
      `${whereIs(clientid, seat)}: direct message refused (403), wanted iot:Receive for the client and iot:SendDirectMessage for us`,
    )
  }
  if (stop === 'ended') return
  if (stop === 'silent' && !mayComeBack(context, run)) return
  if (stop === 'gone') {
    if (!justArrived || !hasJustArrived(seat.live, context.ports.clock.now())) return
    const presence = await context.ports.clients.presence(clientid)
    if (subscriptionIsOver(presence, seat.live)) return
  }
  throw unfinished(clientid, seat, WHY[stop])
}

const WHY: Readonly<Record<Exclude<Stop, 'forbidden' | 'ended' | 'sliced'>, string>> = {
  gone: 'not reachable yet',
  late: 'time is up with messages left',
  silent: `no PUBACK of ${UNANSWERED} or more messages in a row`,
  unknown: `IoT Core failed with ${UNANSWERED} or more messages in a row`,
}

/** Who does not acknowledge, and has no queue that is drained, is no subscriber any more until it comes again. */
export async function endSilent(context: Context, seat: Seat): Promise<void> {
  const { clientid, filter } = subscriberOf(seat)
  const why = `got no PUBACK of ${UNANSWERED} or more messages in a row; gets no more until it subscribes or connects again`
  // Before the write: if its answer is lost, the next try finds no seat, and nobody would say so.
  context.limited({ limit: 'client-silent', clientid, topic: filter, why })
  await context.ports.topics.endSilent(seat)
}

/** Says that a silent client has reached the limit, and what happens next. Before the write, whose answer may be lost. */
function limitSilence(context: Context, seat: Seat, run: Progress): void {
  const { clientid } = subscriberOf(seat)
  const { topic } = seat
  const got = `got no PUBACK of ${UNANSWERED} or more messages in a row`
  context.limited(
    mayComeBack(context, run)
      ? { limit: 'unanswered-sends', clientid, topic, why: `${got}; its messages stay queued, tried once more at the event's next receive` }
      : { limit: 'client-silent', clientid, topic, why: `${got} again; its messages stay queued until it subscribes or connects again` },
  )
}

const whereIs = (clientid: string, { topic }: Seat): string => `client '${clientid}', topic '${topic}'`
export const unfinished = (clientid: string, seat: Seat, why: string): BackendError =>
  new BackendError('unfinished', `${whereIs(clientid, seat)}: ${why}; continues at the next try`)

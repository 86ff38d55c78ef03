import { Courier } from './core/courier.ts'
import { BackendError } from './core/errors.ts'
import type { HookRow } from './core/hooks.ts'
import { hasExpired, type Message } from './core/message.ts'
import type { Context } from './core/ports.ts'
import type { Subscribing } from './core/subscription.ts'
import { hasWildcard, parseSubscription } from './core/topic.ts'

/** session.subscribed: sends the retained messages of the filter, each with the user property `retain` = 1. None to `$share/` [MQTT5 4.8.2]. */
export async function on_retain_lookup({ event, filter }: Subscribing, _row: HookRow, context: Context): Promise<void> {
  const { filter: topics, share } = parseSubscription(filter)
  if (share === undefined) await sendRetained({ clientid: event.clientid, filter: topics, native: true }, context)
}

/** `native`: the client subscribed itself, so that IoT Core sent what it retains of exactly this topic. */
export async function sendRetained(to: { clientid: string; filter: string; native: boolean }, context: Context): Promise<void> {
  const messages = hasWildcard(to.filter) ? await context.ports.retained.matching(to.filter) : await ofTopic(to, context)
  const courier = new Courier(context, to.clientid, { justArrived: true })
  for (const message of messages) {
    if (hasExpired(message, context.ports.clock.now())) continue
    const outcome = await courier.send(message, { retain: true })
    if (outcome === 'gone') return
    if (outcome === 'late' || outcome === 'forbidden') {
      const why =
        outcome === 'late' ? 'time is up with retained messages left' : 'direct message refused (403), wanted iot:Receive for the client'
      throw new BackendError(
        outcome === 'late' ? 'unfinished' : 'receive-forbidden',
        `client '${to.clientid}', filter '${to.filter}': ${why}`,
      )
    }
  }
}

async function ofTopic({ filter, native }: { filter: string; native: boolean }, { ports }: Context): Promise<Message[]> {
  const message = await ports.retained.get(filter)
  const sentByIotCore = message !== undefined && native && (await ports.device.retained(filter)) !== undefined
  return message === undefined || sentByIotCore ? [] : [message]
}

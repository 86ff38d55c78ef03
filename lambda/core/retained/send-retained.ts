/** Retained messages on their way to a subscriber, by direct message with the user property `retain` = 1. */

import { BackendError } from '../errors.ts'
import { hasExpired, type Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { Courier } from '../queue/patient-sender.ts'
import { hasWildcard } from '../topic.ts'

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
  // A publish and a SUBSCRIBE come through two queues: what was stored within the last moment may as well have come after.
  const message = await ports.retained.get(filter, 'lately')
  const sentByIotCore = message !== undefined && native && (await ports.device.retained(filter)) !== undefined
  return message === undefined || sentByIotCore ? [] : [message]
}

/** Sends retained messages to a subscriber, by direct messages with the user property `retain` = 1. */

import { BackendError } from '../errors.ts'
import { hasExpired, type Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { operatorRowStands } from '../queue/operator-rows.ts'
import { PatientSender } from '../queue/patient-sender.ts'
import { hasWildcard } from '../topic.ts'

/** `native`: the client subscribed itself, so IoT Core has sent it the retained message of an exact filter. */
export async function sendRetained(to: { clientid: string; filter: string; native: boolean }, context: Context): Promise<void> {
  const messages = hasWildcard(to.filter) ? await context.ports.retained.matching(to.filter) : await ofTopic(to, context)
  const stands = to.native ? undefined : () => operatorRowStands(context.ports, to.clientid, to.filter)
  const sender = new PatientSender(context, to.clientid, { justArrived: true, stands })
  for (const message of messages) {
    if (hasExpired(message, context.ports.clock.now())) continue
    const outcome = await sender.send(message, { retain: true })
    if (outcome === 'gone' || outcome === 'ended') return
    if (outcome === 'late' || outcome === 'forbidden') {
      const why =
        outcome === 'late'
          ? 'time is up with retained messages left; continues at the next try'
          : 'direct message refused (403), wanted iot:Receive for the client'
      throw new BackendError(
        outcome === 'late' ? 'unfinished' : 'receive-forbidden',
        `client '${to.clientid}', filter '${to.filter}': ${why}`,
      )
    }
  }
}

async function ofTopic({ filter, native }: { filter: string; native: boolean }, { ports }: Context): Promise<Message[]> {
  // Publish and SUBSCRIBE come through two queues: a message of the last moment may as well be younger than the SUBSCRIBE.
  const message = await ports.retained.get(filter, 'eventual')
  const sentByIotCore = message !== undefined && native && (await ports.device.retained(filter)) !== undefined
  return message === undefined || sentByIotCore ? [] : [message]
}

/** What is wrong with acknowledgements that come on the ack topic. */
import { BackendError } from '../errors.ts'
import type { Ack } from '../events/ack-events.ts'
import { REFUSED_CODE } from '../metrics.ts'
import { topicMatches } from '../topic.ts'

/** Why the client may not acknowledge the message. A message that is gone is no fault: somebody has acknowledged it. */
export function faultOf(ack: Ack, topic: string | undefined, filters: readonly string[]): string | undefined {
  if (topic === undefined) return undefined
  if (ack.topic !== undefined && ack.topic !== topic)
    return `message ${ack.msgid} is on topic '${topic}', wanted an ack with that topic or none`
  if (!filters.some((filter) => topicMatches(filter, topic))) return `not a subscriber of topic '${topic}', wanted a row of mqtt_sub`
  return undefined
}

/** @throws BackendError `bad-ack` with the first of the faults, once the right acknowledgements are done */
export function refuseFaulty(clientid: string, faults: readonly (string | undefined)[]): void {
  const [fault] = faults.filter((one) => one !== undefined)
  if (fault !== undefined) throw new BackendError(REFUSED_CODE, `ack of client '${clientid}': ${fault}`)
}

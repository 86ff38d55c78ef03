/** I15: an invocation that has worked for a time slice gives nobody more than what was in hand. */
import { hasWildcard } from '../../lambda/core/topic.ts'
import type { Sending } from './data-plane.ts'
import type { Run } from './handlers.ts'
import type { IotCore } from './iot-core.ts'

/** A slice. Milliseconds. */
const SLICE = 20_000
/** Each event of a batch may be at its first message, of those that were requested and then of the queue. */
const IN_HAND = 2

export function sliceWitness(iotCore: IotCore, now: () => number) {
  const late = new Map<Run, Map<string, Set<string>>>()
  return {
    /** What is wrong with the message that is about to be sent, if anything is. */
    sends(run: Run, { clientid, msgid, retained }: Sending): string | undefined {
      const client = iotCore.clients.get(clientid)!
      const topic = iotCore.byId.get(msgid)?.topic
      // A wildcard has no queue that a later invocation could go on with.
      if (retained || topic === undefined || client.listens || client.operator.some(hasWildcard)) return undefined
      if (now() - run.startedAt <= SLICE) return undefined
      const ofRun = late.get(run) ?? new Map<string, Set<string>>()
      late.set(run, ofRun)
      const key = `${clientid} ${topic}`
      const given = ofRun.get(key)?.add(msgid) ?? new Set([msgid])
      ofRun.set(key, given)
      if (given.size <= IN_HAND * run.batch.length) return undefined
      return `I15: #${run.number} gives ${clientid} message ${given.size} on ${topic} after its slice`
    },
  }
}

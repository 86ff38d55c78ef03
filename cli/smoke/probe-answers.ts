/** Reads the events that the probe of a stack (`cdk deploy -c probe=true`) has collected during a run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ProbeAnswer, probeAnswers, unprobed } from '../../lib/probe-rules.ts'
import { sqsClient } from '../dead-letters/sqs-client.ts'
import { queueUrls, SqsQueue } from '../dead-letters/sqs-queue.ts'
import type { Stage } from '../demo/demo-stage.ts'
import type { PlacedCommand } from './places.ts'

/** A part of the queue's name: CDK's hash at its end. */
const PROBE_QUEUE = /ProbeEvents[0-9A-F]{8}/
const NO_PROBE = 'the stack has no probe: npx cdk deploy -c probe=true, and the other options as they are'

/** Publishes once for the probe, waits for the probe's rules, and reads the answers. */
export async function askProbe({ sqs, region, stack }: PlacedCommand, stage: Stage, run: string): Promise<ProbeAnswer[]> {
  const client = sqsClient({ endpoint: sqs, region })
  try {
    const url = (await queueUrls(client, `${stack}-`)).find((one) => PROBE_QUEUE.test(one))
    if (url === undefined) return unprobed(NO_PROBE)
    await stage.publish('trace', 'whose error')
    await sleep(Math.min(2_000, stage.ground.patienceMs))
    return probeAnswers(await drained(new SqsQueue(client, url)), run)
  } catch (error) {
    return unprobed(`its queue cannot be read (${(error as Error).name})`)
  } finally {
    client.destroy()
  }
}

/** Empties the queue. Events of other runs are deleted too: the queue keeps events for an hour only. */
async function drained(queue: SqsQueue): Promise<string[]> {
  const bodies: string[] = []
  for (let letters = await queue.receive(); letters.length > 0; letters = await queue.receive()) {
    bodies.push(...letters.map(({ body }) => body))
    await queue.remove(letters.map(({ receipt }) => receipt))
  }
  return bodies
}

/** Reads that the publishes of a batch share: one GetRetainedMessage a topic, one BatchGetItem for all covering rows. */
import type { Ports } from '../model/ports.ts'
import type { TopicRow } from '../model/topic-row.ts'
import { coversOf } from '../topic.ts'

/** The ports with those reads done once. `topics`: of all publishes in the batch. */
export function sharingReads(ports: Ports, topics: readonly string[]): Ports {
  const retained = new Map<string, ReturnType<Ports['device']['retained']>>()
  const covers = new Set(topics.flatMap(coversOf))
  let rows: Promise<TopicRow[]> | undefined
  return {
    ...ports,
    device: {
      ...ports.device,
      retained(topic) {
        const asked = retained.get(topic) ?? ports.device.retained(topic)
        retained.set(topic, asked)
        return asked
      },
    },
    topics: {
      ...ports.topics,
      async heads(wanted) {
        if (!wanted.every((topic) => covers.has(topic))) return ports.topics.heads(wanted)
        rows ??= ports.topics.heads([...covers])
        return (await rows).filter(({ topic }) => wanted.includes(topic))
      },
    },
  }
}

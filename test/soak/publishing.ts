/** The publishes: numbered, each tried until somebody has its PUBACK. */
import { setTimeout as pause } from 'node:timers/promises'
import { orAborted } from './abort.ts'
import type { Cast } from './cast.ts'
import type { Dice } from './dice.ts'
import { payloadOf } from './receipts.ts'
import type { SoakClient } from './soak-client.ts'

const IN_FLIGHT = 32
const PAUSE_MS = 20
const RETAINED_SHARE = 0.05
/** Of the retained publishes: followed by one that deletes the retained message. */
const DELETED_SHARE = 0.3

export interface Published {
  /** Number -> topic of every acknowledged message. */
  readonly messages: Map<number, string>
  /** Topic -> number of its last retained message; undefined where that was deleted. */
  readonly retained: Map<string, number | undefined>
  deletes: number
  /** Number -> when its publish was first tried. Milliseconds. */
  readonly began: Map<number, number>
}

interface Publishing {
  readonly count: number
  readonly cast: Cast
  readonly clients: readonly SoakClient[]
  readonly dice: Dice
  readonly published: Published
  readonly mayPublish: () => boolean
  readonly signal: AbortSignal
}

export async function publishAll({ count, cast, clients, dice, published, mayPublish, signal }: Publishing): Promise<void> {
  // One client publishes what is retained, so that it is known which came last: it never ends, and its library repeats in order.
  const keeper = clients.find(({ role }) => !role.flaps)!
  const steady = clients.filter(({ role }) => !role.flaps)
  const turns = new Map<string, Promise<unknown>>()

  async function plain(topic: string, number: number): Promise<void> {
    const client = dice.pick(clients)
    // Of one that has gone in the meantime nobody knows whether the publish arrived: another repeats it.
    await (client.connected ? client : dice.pick(steady))
      .publish(topic, payloadOf(number), { retain: false })
      .catch(() => dice.pick(steady).publish(topic, payloadOf(number), { retain: false }))
    published.messages.set(number, topic)
  }

  async function retained(topic: string, number: number, deleted: boolean): Promise<void> {
    await keeper.publish(topic, payloadOf(number), { retain: true })
    published.messages.set(number, topic)
    published.retained.set(topic, number)
    if (!deleted) return
    await keeper.publish(topic, '', { retain: true })
    published.retained.set(topic, undefined)
    published.deletes++
  }

  function inTurn(topic: string, work: () => Promise<void>): Promise<void> {
    const turn = (turns.get(topic) ?? Promise.resolve()).then(work)
    turns.set(topic, turn)
    return turn
  }

  let next = 0
  const worker = async () => {
    while (next < count) {
      signal.throwIfAborted()
      while (!mayPublish()) await pause(PAUSE_MS, undefined, { signal })
      if (next === count) return
      const number = next++
      published.began.set(number, Date.now())
      if (dice.chance(RETAINED_SHARE)) {
        const topic = dice.pick(cast.retainedTopics)
        const deleted = dice.chance(DELETED_SHARE)
        await inTurn(topic, () => retained(topic, number, deleted))
      } else await plain(dice.pick(cast.topics), number)
    }
  }
  await orAborted(Promise.all(Array.from({ length: IN_FLIGHT }, worker)), signal)
}

/** Which messages IoT Core surely delivered natively: from somebody else, in a window, and in no second with more than it delivers. */
import { crowded, idsIn, type Window } from '../model/delivery-window.ts'
import type { Ports, Traits } from '../model/ports.ts'
import { millisOfMsgid } from '../msgid.ts'

const SECOND = 1_000

/** What proves a delivery: a window, and who may have got the messages in it. What they sent themselves is not proven. */
interface Proving {
  readonly window: Window
  readonly members: ReadonlySet<string>
}

export interface Proven {
  /** For each proof the ids that it proves, and no proof before it. */
  readonly ids: readonly ReadonlySet<string>[]
  /** Ids that lead to no message. */
  readonly gone: ReadonlySet<string>
}

/** `pending`: all ids from a second before the windows on to a second after them, as far as the topic names any. */
export async function provenIn(ports: Ports, pending: readonly string[], proofs: readonly Proving[]): Promise<Proven> {
  const tooMany = crowded(pending, () => 0)
  const within = proofs.map(({ window }) => idsIn(pending, window).filter((id) => !tooMany.has(id)))
  const { traits, gone, tooMuch } = await judged(ports, pending, new Set(within.flat()))
  const settled = new Set(gone)
  const ids = proofs.map(({ members }, i) => {
    const mine = within[i]!.filter((id) => {
      const sender = traits.get(id)?.sender
      return sender !== undefined && !members.has(sender) && !tooMuch.has(id) && !settled.has(id)
    })
    for (const id of mine) settled.add(id)
    return new Set(mine)
  })
  return { ids, gone }
}

interface Judged {
  /** Of the messages that are there. */
  readonly traits: ReadonlyMap<string, Traits>
  /** Ids that lead to no message. */
  readonly gone: ReadonlySet<string>
  /** Ids in a second with more bytes than IoT Core delivers. */
  readonly tooMuch: ReadonlySet<string>
}

/** Looks at the messages that are proven, and at their neighbours, with which they share a second. */
async function judged({ messages }: Ports, pending: readonly string[], proven: ReadonlySet<string>): Promise<Judged> {
  if (proven.size === 0) return { traits: new Map(), gone: new Set(), tooMuch: new Set() }
  const times = [...proven].map(millisOfMsgid)
  const [first, last] = [Math.min(...times) - SECOND, Math.max(...times) + SECOND]
  const near = pending.filter((id) => millisOfMsgid(id) >= first && millisOfMsgid(id) <= last)
  const traits = await messages.traits(near)
  const unseen = [...proven].filter((id) => !traits.has(id))
  const existing = unseen.length === 0 ? new Set<string>() : await messages.existing(unseen)
  const gone = new Set(unseen.filter((id) => !existing.has(id)))
  return { traits, gone, tooMuch: crowded(near, (id) => traits.get(id)?.bytes ?? 0) }
}

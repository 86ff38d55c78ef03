/** A drain of a native subscriber passes what IoT Core surely delivered in the windows that stand beside its read position. */
import { BackendError } from '../errors.ts'
import { UNFINISHED_CODE } from '../metrics.ts'
import { PUBLISHES_PER_SECOND, type Window } from '../model/delivery-window.ts'
import type { Context } from '../model/ports.ts'
import type { Position } from '../model/position.ts'
import { HEAD_IDS, type Homes } from '../model/topic-row.ts'
import { provenIn } from './proven.ts'

/** Segments before the position that may have the rest of a second with more than IoT Core delivers. */
const NEIGHBOURS = Math.ceil(PUBLISHES_PER_SECOND / HEAD_IDS)
/** Ids that stand behind one that the client does not have yet: with more of them the windows stay for the next drain. */
const MOST_LEFT = 64

interface Passing {
  readonly topic: string
  readonly clientid: string
  readonly windows: readonly Window[]
  /** The first segment that the drain reads. */
  readonly begin: number
  readonly isLate: () => boolean
}

export async function beginPass(context: Context, passing: Passing): Promise<WindowPass> {
  const { topic, begin } = passing
  const before = begin === 0 ? [] : [...(await context.ports.topics.segments(topic, Math.max(0, begin - NEIGHBOURS), begin)).values()]
  return new WindowPass(context, passing, before.flat())
}

export class WindowPass {
  private readonly context: Context
  private readonly passing: Passing
  /** Ids of the part before. */
  private before: readonly string[]
  /** Id that is proven -> the last segment that has it. */
  private readonly proven = new Map<string, number>()

  constructor(context: Context, passing: Passing, before: readonly string[]) {
    this.context = context
    this.passing = passing
    this.before = before
  }

  /** Ids of the part that the client surely has, or that lead to no message. `next`: the part after it. */
  async judge(part: Homes, next: Homes): Promise<string[]> {
    const { topic, clientid, windows, isLate } = this.passing
    const why = 'time is up before all is judged that it got natively'
    if (isLate()) throw new BackendError(UNFINISHED_CODE, `client '${clientid}', topic '${topic}': ${why}; continues at the next try`)
    const proofs = windows.map((window) => ({ window, members: new Set([clientid]) }))
    const near = new Set([...this.before, ...part.keys(), ...next.keys()])
    const { ids, gone } = await provenIn(this.context.ports, [...near], proofs)
    this.before = [...part.keys()]
    const mine = [...ids.flatMap((some) => [...some]), ...gone].filter((id) => part.has(id))
    for (const id of mine) this.proven.set(id, Math.max(...part.get(id)!))
    return mine
  }

  /** Everything was delivered or passed: the position says so without the windows. Returns it if it has moved. */
  async end({ seq, seen }: Position): Promise<Position | undefined> {
    const { topic, clientid, windows } = this.passing
    const left = [...this.proven].filter(([id, home]) => home >= seq && !seen.has(id))
    if (left.length > MOST_LEFT) return undefined
    const home = Math.min(...left.map(([, home]) => home))
    return this.context.ports.acked.passWindows(topic, clientid, windows, {
      ids: left.map(([id]) => id),
      home: left.length === 0 ? seq : home,
    })
  }
}

/**
 * The read position of a client on a topic that is kept for many. It is a place in the topic's log, never a time: an id that is stored
 * late stands in a later segment, so it is not passed over.
 */
import { millisOfMsgid } from '../msgid.ts'
import type { Window } from './delivery-window.ts'

export interface Position {
  /** The client has everything in the segments below this number. */
  readonly seq: number
  /** Ids of this segment and of later ones that it has. */
  readonly seen: ReadonlySet<string>
  /** Milliseconds: what was published before is not for it. */
  readonly since: number
  /** Milliseconds: the latest SUBSCRIBE. */
  readonly subscribedAt: number
  /** By which filters the client subscribed since the position began, as sent. */
  readonly filters: ReadonlySet<string>
  /** In which IoT Core surely delivered to the client: what it got there is for its next SUBSCRIBE to pass. */
  readonly windows: readonly Window[]
}

/** A row of `mqtt_acked`. Without a position EMQX wrote it, or an acknowledgement while the topic was a queue. */
export interface LastAcked {
  readonly msgid?: string
  readonly position?: Position
}

/** Read positions in `mqtt_acked`. Every method is one request of one row. */
export interface PositionTable {
  /** The row as it is now; `undefined`: there is none. */
  lastAcked(topic: string, clientid: string): Promise<LastAcked | undefined>
  /** Writes a position with nothing seen, or moves one back to an earlier SUBSCRIBE, unless it has changed since `before` was read. */
  begin(topic: string, clientid: string, place: Omit<Position, 'seen' | 'windows'>, before: Position | undefined): Promise<boolean>
  /** Remembers a SUBSCRIBE (ms) and its filters. Returns whether there is a position. */
  subscribedAgain(topic: string, clientid: string, at: number, filters: readonly string[]): Promise<boolean>
  /** Adds ids that stand in segment `home` or later ones. `undefined`: the position is past that segment, or there is none. */
  addSeen(topic: string, clientid: string, ids: readonly string[], home: number): Promise<Position | undefined>
  /** Remembers a window, if the client has a position that it concerns: one that is forgotten never comes back. */
  addWindow(topic: string, clientid: string, window: Window): Promise<void>
  /** Forgets windows, and adds ids that they prove, which stand in segment `home` or later ones. The same answer as of {@link addSeen}. */
  passWindows(
    topic: string,
    clientid: string,
    windows: readonly Window[],
    proven: { readonly ids: readonly string[]; readonly home: number },
  ): Promise<Position | undefined>
  /** Moves the position to segment `to`, if it is where `from` says. `gone`: ids of segments below; `newest`: the newest id acknowledged. */
  fold(
    topic: string,
    clientid: string,
    from: Position,
    move: { to: number; gone: readonly string[]; newest: string | undefined },
  ): Promise<Position | undefined>
}

/** Whether the client has the message of that id, or it is not for it. */
export const isPassed = ({ seen, since }: Position, id: string): boolean => seen.has(id) || millisOfMsgid(id) < since

/**
 * Ids that are seen and need not be once the segments below `to` are left behind. One that a repeated publish has named again in a later
 * segment, or in the head, stays. `head`: ids of the head.
 */
export function leftBehind(
  { seen }: Position,
  to: number,
  segments: ReadonlyMap<number, readonly string[]>,
  head: Iterable<string>,
): string[] {
  const later = new Set([...head, ...[...segments].filter(([seq]) => seq >= to).flatMap(([, ids]) => ids)])
  const below = [...segments].filter(([seq]) => seq < to).flatMap(([, ids]) => ids)
  return [...new Set(below)].filter((id) => seen.has(id) && !later.has(id))
}

/** The first of the segments up to `to` with an id that the client does not have. `segments`: those that exist. */
export function firstUnread(
  position: Position,
  to: number,
  segments: ReadonlyMap<number, readonly string[]>,
  has: (id: string) => boolean = () => false,
): number {
  let seq = position.seq
  while (seq < to && (segments.get(seq) ?? []).every((id) => has(id) || isPassed(position, id))) seq++
  return seq
}

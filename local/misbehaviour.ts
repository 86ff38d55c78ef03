/** Misbehaviour on purpose, the same for the same seed: what AWS says may happen, made frequent. */
import { seededRandom } from './seeded-random.ts'

/** Probabilities from 0 to 1. */
export interface Misbehaviours {
  /** An event is queued twice. */
  readonly duplicate: number
  /** An event is held back behind later ones. */
  readonly reorder: number
  /** An event comes up to two seconds late. */
  readonly delay: number
  /** A DynamoDB request is refused as throttled. */
  readonly throttle: number
  /** A rule cannot send what it selected: the publish goes to the queue of rule errors. */
  readonly failAction: number
  /** The PUBACK of a direct message is not heard. */
  readonly dropPuback: number
}

export const WELL_BEHAVED: Misbehaviours = { duplicate: 0, reorder: 0, delay: 0, throttle: 0, failAction: 0, dropPuback: 0 }

const MAX_DELAY_MS = 2000
/** Long enough for later events of a burst to overtake. */
const MAX_HOLD_MS = 250

export interface Misbehaviour {
  /** The copies of an event that are queued: the delay of each, in milliseconds. */
  copies(): number[]
  failsAction(): boolean
  hearsPuback(): boolean
  /** How often each has happened so far; throttling is the engine's own. */
  readonly counts: Readonly<Record<Exclude<keyof Misbehaviours, 'throttle'>, number>>
}

export function misbehave(chances: Misbehaviours, seed: number): Misbehaviour {
  const random = seededRandom(seed)
  // A kind with probability 0 draws no random number: the numbers of the other kinds stay the same.
  const counts = { duplicate: 0, reorder: 0, delay: 0, failAction: 0, dropPuback: 0 }
  const happens = (kind: keyof typeof counts) => {
    if (chances[kind] === 0 || random() >= chances[kind]) return false
    counts[kind]++
    return true
  }
  const delay = () => {
    const held = happens('reorder') ? 1 + random() * MAX_HOLD_MS : 0
    return happens('delay') ? held + 1 + random() * MAX_DELAY_MS : held
  }
  return {
    counts,
    copies: () => (happens('duplicate') ? [delay(), delay()] : [delay()]),
    failsAction: () => happens('failAction'),
    hearsPuback: () => !happens('dropPuback'),
  }
}

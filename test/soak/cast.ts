/** Who takes part: topics, and clients of every way to get messages. */
import type { Dice } from './dice.ts'

/**
 * `exact`: subscribes to topics themselves, and to one through `$share/` as well. `wildcard`: to filters, which are no queue
 * consumers. `server`, `server-wildcard`: an operator's rows of mqtt_sub subscribe it. `durable`: to topics below `durable/`.
 */
export type Kind = 'exact' | 'durable' | 'wildcard' | 'server' | 'server-wildcard'

export interface Role {
  readonly clientid: string
  readonly kind: Kind
  /** MQTT 3.1.1 or 5. */
  readonly protocol: 4 | 5
  /** What it subscribes to itself. */
  readonly filters: readonly string[]
  /** What an operator's rows subscribe it to. */
  readonly operatorFilters: readonly string[]
  /** Comes and goes all the time. */
  readonly flaps: boolean
}

export interface Cast {
  readonly topics: readonly string[]
  /** Of these some publishes are retained. */
  readonly retainedTopics: readonly string[]
  /** Kept for many, by these filters of the conf: half of the topics. The others are queues. */
  readonly keptTopics: readonly string[]
  readonly keptFilters: readonly string[]
  readonly roles: readonly Role[]
}

const GROUPS = 10
/** A third is durable; of each kind some flap, which is every third client. */
const KINDS: readonly Kind[] = ['durable', 'exact', 'server', 'wildcard', 'durable', 'exact', 'server-wildcard', 'server', 'durable']
const TOPICS_EACH = 3
const SHARE = '$share/soak/'

export function castOf({ clients, topics: count }: { clients: number; topics: number }, dice: Dice): Cast {
  const groupOf = (i: number) => Math.floor((i * GROUPS) / Math.max(count, GROUPS))
  const groups = Array.from({ length: groupOf(count - 1) + 1 }, (_, group) => group)
  const topicOf = (i: number) => `soak/g${groupOf(i)}/t${i}`
  const indexes = Array.from({ length: count }, (_, i) => i)
  const isRetained = (group: number) => group < Math.ceil(groups.length / 5)
  const retainedTopics = indexes.filter((i) => isRetained(groupOf(i))).map(topicOf)

  const isKept = (group: number) => group >= Math.ceil(groups.length / 2)
  const keptTopics = indexes.filter((i) => isKept(groupOf(i))).map(topicOf)
  const keptFilters = groups.filter(isKept).map((group) => `soak/g${group}/#`)

  // A third of the topics has no subscriber of its own: what is published there waits for the last one.
  const attended = indexes.filter((i) => i % 3 !== 2)
  // Dealt like cards: a message that has one subscriber is not saved by another.
  const deck = dice.some(attended, attended.length)
  const deal = (fits: (index: number) => boolean): number[] => {
    const cards = deck.filter(fits).slice(0, TOPICS_EACH)
    deck.push(...cards.map((card) => deck.splice(deck.indexOf(card), 1)[0]!))
    return cards
  }
  const roles = Array.from({ length: clients }, (_, i): Role => {
    const kind = KINDS[i % KINDS.length]!
    const protocol = i % 2 === 0 ? 5 : 4
    // An MQTT 3.1.1 client cannot tell a pushed retained message from a queued one.
    const open = (group: number) => protocol === 5 || !isRetained(group)
    const group = dice.pick(groups.filter(open))
    const deals = kind === 'exact' || kind === 'durable' || kind === 'server'
    const [first = topicOf(count - 1), ...rest] = deals ? deal((card) => open(groupOf(card))).map(topicOf) : []
    const native: Record<Kind, string[]> = {
      exact: [i % 18 === 5 ? `${SHARE}${first}` : first, ...rest],
      durable: [first, ...rest].map((topic) => `durable/${topic}`),
      wildcard: [`soak/g${group}/#`],
      server: [],
      'server-wildcard': [],
    }
    const operator: Record<Kind, string[]> = {
      exact: [],
      durable: [],
      wildcard: [],
      server: [first, ...rest],
      'server-wildcard': [`soak/g${group}/+`],
    }
    const flaps = i % 3 === 0
    return { clientid: `soak-${i}`, kind, protocol, filters: native[kind], operatorFilters: operator[kind], flaps }
  })
  return { topics: indexes.map(topicOf), retainedTopics, keptTopics, keptFilters, roles }
}

/** Which sessions get a publish: each subscribed session once, and one member of each share group. */
import { hasWildcard } from '../../lambda/core/topic.ts'
import { awsFilterMatches } from '../rules/rule-evaluator.ts'
import { splitShare } from './iot-limits.ts'

export interface Grant {
  readonly qos: 0 | 1
  /** MQTT 5 no local. */
  readonly nl: boolean
  /** MQTT 5 retain as published. */
  readonly rap: boolean
  /** The shared filter, if no other subscription of the session matches the publish. */
  readonly share?: string
}

/** Matches like a rule's FROM (`a/#` does not match `a`), but a wildcard as first level does not match `$...` [MQTT-4.7.2-1]. */
const nativeMatch = (filter: string, topic: string): boolean =>
  !(topic.startsWith('$') && /^[+#]/.test(filter)) && awsFilterMatches(filter, topic)

export interface Member {
  readonly online: boolean
}

interface Listeners<S> {
  /** Not shared. */
  readonly members: Map<S, Grant>
  /** Group -> members in the order in which they take turns. */
  readonly groups: Map<string, Map<S, Grant>>
}

export class SubscriptionIndex<S extends Member> {
  readonly #exact = new Map<string, Listeners<S>>()
  readonly #wildcard = new Map<string, Listeners<S>>()

  add(session: S, subscription: string, grant: Grant): void {
    const { filter, group } = splitShare(subscription)
    const side = hasWildcard(filter) ? this.#wildcard : this.#exact
    const listeners = side.get(filter) ?? { members: new Map(), groups: new Map() }
    side.set(filter, listeners)
    if (group === undefined) listeners.members.set(session, grant)
    else listeners.groups.set(group, (listeners.groups.get(group) ?? new Map()).set(session, grant))
  }

  remove(session: S, subscription: string): void {
    const { filter, group } = splitShare(subscription)
    const side = hasWildcard(filter) ? this.#wildcard : this.#exact
    const listeners = side.get(filter)
    if (!listeners) return
    if (group === undefined) listeners.members.delete(session)
    else {
      listeners.groups.get(group)?.delete(session)
      if (listeners.groups.get(group)?.size === 0) listeners.groups.delete(group)
    }
    if (listeners.members.size === 0 && listeners.groups.size === 0) side.delete(filter)
  }

  /** The members of a shared filter's group; none of a filter that is not shared. */
  sharing(subscription: string): Iterable<S> {
    const { filter, group } = splitShare(subscription)
    const side = hasWildcard(filter) ? this.#wildcard : this.#exact
    return (group === undefined ? undefined : side.get(filter)?.groups.get(group)?.keys()) ?? []
  }

  /** Overlapping subscriptions of one session give one delivery, at the best QoS among them. */
  receivers(topic: string): Map<S, Grant> {
    const receivers = new Map<S, Grant>()
    const take = (filter: string, listeners: Listeners<S>) => {
      for (const [session, grant] of listeners.members) receivers.set(session, better(receivers.get(session), grant))
      for (const [name, group] of listeners.groups) {
        const chosen = nextInTurn(group)
        if (!chosen) continue
        const [session, grant] = chosen
        receivers.set(session, better(receivers.get(session), { ...grant, share: `$share/${name}/${filter}` }))
      }
    }
    const exact = this.#exact.get(topic)
    if (exact) take(topic, exact)
    for (const [filter, listeners] of this.#wildcard) if (nativeMatch(filter, topic)) take(filter, listeners)
    return receivers
  }
}

function nextInTurn<S extends Member>(group: Map<S, Grant>): [S, Grant] | undefined {
  const members = [...group]
  const chosen = members.find(([session]) => session.online) ?? members[0]
  if (!chosen) return undefined
  group.delete(chosen[0])
  group.set(...chosen)
  return chosen
}

function better(a: Grant | undefined, b: Grant): Grant {
  if (!a) return b
  return { qos: a.qos > b.qos ? a.qos : b.qos, nl: a.nl && b.nl, rap: a.rap || b.rap }
}

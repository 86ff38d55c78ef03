/**
 * One hook row of the conf:
 *
 *     backend.dynamo.hook.<hook>.<label> = {"topic": filter?, "action": {"function": name}, "pool": name, ...}
 *
 * EMQX's DynamoDB backend has the first three fields. We add `"qos"` on message.publish and session.subscribed, `"retain"` on
 * on_message_retain and on_retain_delete, and on on_message_fetch_for_queue `"offline_opts"` (as in EMQX's other backends), `"settle"` and
 * `"consumers"`; on on_message_fetch_for_pubsub the first two of these.
 */

import { BackendError } from '../../lambda/core/errors.ts'
import {
  ACTIONS_OF_HOOK,
  type ActionName,
  type Consumers,
  HOOKS,
  type HookName,
  type HookRow,
  hasTopicFilter,
  type OfflineOpts,
  type RetainMode,
} from '../../lambda/core/hooks.ts'
import { checkTopicFilter, parseSubscription } from '../../lambda/core/topic.ts'
import { didYouMean } from './did-you-mean.ts'
import { DURATION_WANTED, parseDuration } from './duration.ts'
import type { Json, JsonObject } from './json.ts'

/** Reports one fault of the row. Reading goes on, so that all faults are reported at once. */
export type Refuse = (message: string) => void

const ROW_KEYS = ['topic', 'action', 'pool', 'qos', 'retain', 'offline_opts', 'settle', 'consumers']
const RETAIN_ACTIONS: readonly string[] = ['on_message_retain', 'on_retain_delete'] satisfies ActionName[]
const RETAIN_MODES: readonly Json[] = ['native', 'property', 'topic'] satisfies RetainMode[]
const QOS_HOOKS: readonly HookName[] = ['message.publish', 'session.subscribed']
const FETCH_ACTION: ActionName = 'on_message_fetch_for_queue'
const KEPT_ACTION: ActionName = 'on_message_fetch_for_pubsub'

/** The row, or undefined if action or pool are missing or wrong. Every fault is reported to `refuse`. */
export function readRow(
  json: Json,
  id: { hook: HookName; label: string },
  pools: ReadonlySet<string>,
  refuse: Refuse,
): HookRow | undefined {
  if (!isObject(json)) return void refuse(`a hook is ${shown(json)}, wanted {"action": {"function": name}, "pool": name, ...}`)
  refuseUnknownKeys(json, ROW_KEYS, 'this hook', refuse)
  const action = readAction(json.get('action'), id.hook, refuse)
  const pool = readPool(json.get('pool'), pools, refuse)
  const topic = readTopic(json.get('topic'), id.hook, refuse)
  const qos = readQos(json.get('qos'), id.hook, refuse)
  const retain = readRetain(json.get('retain'), action, refuse)
  const offlineOpts = readOfflineOpts(json.get('offline_opts'), action, refuse)
  const settle = readSettle(json.get('settle'), action, refuse)
  const consumers = readConsumers(json.get('consumers'), action, refuse)
  if (action === undefined || pool === undefined) return undefined
  return {
    ...id,
    action,
    ...(topic === undefined ? {} : { topic }),
    pool,
    ...(qos === undefined ? {} : { qos }),
    ...(retain === undefined ? {} : { retain }),
    ...(offlineOpts === undefined ? {} : { offlineOpts }),
    ...(settle === undefined ? {} : { settle }),
    ...(consumers === undefined ? {} : { consumers }),
  }
}

function readAction(json: Json | undefined, hook: HookName, refuse: Refuse): ActionName | undefined {
  if (json === undefined) return void refuse('"action" is missing, wanted "action": {"function": name}')
  if (!isObject(json)) return void refuse(`"action" is ${shown(json)}, wanted {"function": name}`)
  refuseUnknownKeys(json, ['function'], '"action"', refuse)
  const name = json.get('function')
  const allowed: readonly ActionName[] = ACTIONS_OF_HOOK[hook]
  const action = allowed.find((each) => each === name)
  if (action !== undefined) return action
  const hooks = HOOKS.filter((each) => ACTIONS_OF_HOOK[each].some((other) => other === name))
  if (hooks.length > 0) return void refuse(`${name} runs on ${hooks.join(' or ')}, not on ${hook}, which takes ${allowed.join(', ')}`)
  const guess = typeof name === 'string' ? didYouMean(name, allowed) : ''
  refuse(`"function" is ${name === undefined ? 'missing' : shown(name)}, wanted one that ${hook} takes: ${allowed.join(', ')}${guess}`)
  return undefined
}

function readPool(json: Json | undefined, pools: ReadonlySet<string>, refuse: Refuse): string | undefined {
  if (typeof json !== 'string' || json === '') {
    return void refuse(`"pool" is ${json === undefined ? 'missing' : shown(json)}, wanted the name of a pool, such as "pool1"`)
  }
  if (pools.has(json)) return json
  const known = pools.size === 0 ? 'and the file defines no pool at all' : `wanted ${namesOf(pools)}`
  return void refuse(`pool ${shown(json)} has no backend.dynamo.<pool>.* setting, ${known}${didYouMean(json, [...pools])}`)
}

/** Ten of the names: a message should stay one line. */
function namesOf(pools: ReadonlySet<string>): string {
  const few = [...pools].slice(0, 10).map((name) => (name.length <= 80 ? name : shown(name)))
  return few.join(' or ') + (pools.size > few.length ? ` or one of ${pools.size - few.length} more` : '')
}

function readTopic(json: Json | undefined, hook: HookName, refuse: Refuse): string | undefined {
  if (!hasTopicFilter(hook)) {
    if (json !== undefined) refuse(`"topic" is not possible on ${hook}: its events are about a client, not about a topic`)
    return undefined
  }
  // In EMQX a row without a topic runs for every topic.
  if (json === undefined) return '#'
  if (typeof json !== 'string') return void refuse(`"topic" is ${shown(json)}, wanted a topic filter such as "#" (every topic)`)
  const fault = filterFault(json)
  if (fault) refuse(`"topic" ${shown(json)}: ${fault}`)
  return fault ? undefined : json
}

function filterFault(filter: string): string | undefined {
  try {
    checkTopicFilter(filter)
  } catch (error) {
    if (error instanceof BackendError) return error.message
    throw error
  }
  const subscription = parseSubscription(filter)
  if (subscription.share === undefined) return undefined
  return `hooks see subscriptions without their share prefix, wanted ${shown(subscription.filter)}`
}

function readQos(json: Json | undefined, hook: HookName, refuse: Refuse): 0 | 1 | 2 | undefined {
  if (json === undefined) return undefined
  if (!QOS_HOOKS.includes(hook)) return void refuse(`"qos" is only for ${QOS_HOOKS.join(' and ')}, not for ${hook}`)
  if (json === 0 || json === 1 || json === 2) return json
  return void refuse(`"qos" is ${shown(json)}, wanted 0, 1 or 2`)
}

function readRetain(json: Json | undefined, action: ActionName | undefined, refuse: Refuse): RetainMode | undefined {
  if (json === undefined) return undefined
  if (action !== undefined && !RETAIN_ACTIONS.includes(action))
    return void refuse(`"retain" is only for ${RETAIN_ACTIONS.join(' and ')}, not for ${action}`)
  if (!RETAIN_MODES.includes(json)) return void refuse(`"retain" is ${shown(json)}, wanted ${RETAIN_MODES.map(shown).join(' or ')}`)
  return json as RetainMode
}

function readOfflineOpts(json: Json | undefined, action: ActionName | undefined, refuse: Refuse): OfflineOpts | undefined {
  if (json === undefined || (action !== KEPT_ACTION && !isOnFetch('offline_opts', action, refuse))) return undefined
  if (!isObject(json)) return void refuse(`"offline_opts" is ${shown(json)}, wanted {"max_returned_count": 500, "time_range": "2h"}`)
  if (action === KEPT_ACTION && json.has('max_returned_count')) {
    refuse(`"max_returned_count" is not possible on ${KEPT_ACTION}, which leaves nothing out, wanted {"time_range": "2h"} or nothing`)
  }
  refuseUnknownKeys(json, ['max_returned_count', 'time_range'], '"offline_opts"', refuse)
  const maxReturnedCount = readCount(json.get('max_returned_count'), refuse)
  const timeRange = readTimeRange(json.get('time_range'), refuse)
  return { ...(maxReturnedCount === undefined ? {} : { maxReturnedCount }), ...(timeRange === undefined ? {} : { timeRange }) }
}

function readSettle(json: Json | undefined, action: ActionName | undefined, refuse: Refuse): HookRow['settle'] {
  if (json === undefined || (action !== KEPT_ACTION && !isOnFetch('settle', action, refuse))) return undefined
  if (json === 'never') return json
  const seconds = typeof json === 'string' || typeof json === 'number' ? parseDuration(String(json)) : undefined
  return seconds ?? void refuse(`"settle" is ${shown(json)}, wanted "never" or ${DURATION_WANTED}`)
}

function readConsumers(json: Json | undefined, action: ActionName | undefined, refuse: Refuse): Consumers | undefined {
  if (json === undefined || !isOnFetch('consumers', action, refuse)) return undefined
  if (json === 'exact' || json === 'any') return json
  return void refuse(`"consumers" is ${shown(json)}, wanted "exact" or "any"`)
}

/** Refuses the key on a row of another action. */
function isOnFetch(key: string, action: ActionName | undefined, refuse: Refuse): boolean {
  if (action === undefined || action === FETCH_ACTION) return true
  refuse(`"${key}" is only for ${FETCH_ACTION}, not for ${action}`)
  return false
}

function readCount(json: Json | undefined, refuse: Refuse): number | undefined {
  if (json === undefined) return undefined
  const count = typeof json === 'string' && /^\d{1,9}$/.test(json) ? Number(json) : json
  if (Number.isSafeInteger(count) && (count as number) > 0) return count as number
  return void refuse(`"max_returned_count" is ${shown(json)}, wanted a whole number of 1 or more`)
}

function readTimeRange(json: Json | undefined, refuse: Refuse): number | undefined {
  if (json === undefined) return undefined
  const seconds = typeof json === 'string' || typeof json === 'number' ? parseDuration(String(json)) : undefined
  return seconds ?? void refuse(`"time_range" is ${shown(json)}, wanted ${DURATION_WANTED}`)
}

function refuseUnknownKeys(json: JsonObject, known: readonly string[], where: string, refuse: Refuse): void {
  for (const key of json.keys()) {
    if (known.includes(key)) continue
    const hint = /^expired_(?:after|time)$/.test(key)
      ? ' (expiry is one setting for all: backend.dynamo.msg.expired_after)'
      : didYouMean(key, known)
    refuse(`unknown key ${shown(key)} in ${where}, wanted ${known.join(', ')}${hint}`)
  }
}

const isObject = (json: Json): json is JsonObject => json instanceof Map

/** A value as a message may show it: short texts and numbers as they are, other values by their kind. */
function shown(json: Json): string {
  if (isObject(json)) return 'an object'
  if (Array.isArray(json)) return 'a list'
  const text = JSON.stringify(json)
  return text.length <= 80 ? text : `text of ${text.length} characters`
}

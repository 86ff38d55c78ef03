/**
 * The hook table: which action runs on which hook, for which topics. It is data, read from
 * `etc/emqx_backend_dynamo.conf`; rules, queues, functions, grants and the local run derive from it.
 * Hooks and actions are named as on EMQX's page.
 */

import { topicMatches } from './topic.ts'

/** Every hook with the actions it may carry, in the order in which they run. */
export const ACTIONS_OF_HOOK = {
  'client.connected': ['on_client_connected', 'on_subscribe_lookup'],
  'session.created': ['on_subscribe_lookup'],
  'client.disconnected': ['on_client_disconnected'],
  'session.subscribed': ['on_message_fetch_for_queue', 'on_message_fetch_for_pubsub', 'on_retain_lookup'],
  'session.unsubscribed': ['on_acked_delete'],
  'message.publish': ['on_message_publish', 'on_message_store', 'on_message_retain', 'on_retain_delete'],
  'message.acked': ['on_message_acked_for_queue', 'on_message_acked_for_pubsub'],
} as const

/** As in `backend.dynamo.hook.<hook>` of the conf. */
export type HookName = keyof typeof ACTIONS_OF_HOOK
/** As in `"function"` of a row of the conf. */
export type ActionName = (typeof ACTIONS_OF_HOOK)[HookName][number]

/** The actions that the hook may carry. */
export type ActionOf<Hook extends HookName> = (typeof ACTIONS_OF_HOOK)[Hook][number]

export const HOOKS = Object.keys(ACTIONS_OF_HOOK) as HookName[]

/** How a rule event's RETAIN flag, which IoT rules cannot see, is found out. */
export type RetainMode = 'native' | 'property' | 'topic'

/** What a subscription gets of its queue: `"offline_opts"` of a row. */
export interface OfflineOpts {
  /** At most so many queued messages are delivered for one subscription. */
  readonly maxReturnedCount?: number
  /** Only messages published within so many seconds before the subscription are delivered. */
  readonly timeRange?: number
}

/** One line `backend.dynamo.hook.<hook>.<label> = {...}`. */
export interface HookRow {
  readonly hook: HookName
  /** What tells rows of a hook apart: the last word of the key. */
  readonly label: string
  readonly action: ActionName
  /** Topic filter; absent on `client.*` and `session.created` rows. */
  readonly topic?: string
  /** One of the table's `pools`; for the local run only. */
  readonly pool: string
  /** QoS of messages (message.publish) or subscriptions (session.subscribed) that carry none: rules cannot see it. Default 1. */
  readonly qos?: 0 | 1 | 2
  /** Of rows of `on_message_retain` and `on_retain_delete`. Default `native`. */
  readonly retain?: RetainMode
  /** Of rows of `on_message_fetch_for_queue`. Default: all that waits. */
  readonly offlineOpts?: OfflineOpts
  /** How long a native subscriber may take to acknowledge, in seconds; `never`: what it got is not inferred. Default 10. */
  readonly settle?: number | 'never'
  /** Whose deliveries take a message off its queue: `exact` subscribers of its topic, or `any`, wildcards too. Default `exact`. */
  readonly consumers?: Consumers
}

/** `"consumers"` of a row. */
export type Consumers = 'exact' | 'any'

/** `backend.dynamo.<pool>` of the conf. */
export interface Pool {
  /** DynamoDB endpoint, for the local run only. */
  readonly server?: string
  /** For the local run only. */
  readonly poolSize?: number
}

/** What a conf file says. */
export interface HookTable {
  /** `backend.dynamo.region`, else a pool's `aws_default_region`: the stack's region. */
  readonly region?: string
  readonly pools: Readonly<Record<string, Pool>>
  /** In the order of the file. */
  readonly rows: readonly HookRow[]
  /** Seconds after which stored messages expire (`backend.dynamo.msg.expired_after`); absent: never. */
  readonly expiredAfter?: number
  /** `backend.dynamo.durable.prefix`; '': there are no durable subscriptions; absent: `durable/`. */
  readonly durablePrefix?: string
}

/** What one hook's Lambda function needs to know of the table: written as `hook.json` beside its bundle. */
export interface HookConfig {
  readonly hook: HookName
  /** The hook's rows, in the order in which their actions run. */
  readonly rows: readonly HookRow[]
  /** The rows of `session.subscribed`: what follows a subscription, also one made on the client's behalf. */
  readonly subscribed: readonly HookRow[]
  /** Filters of `on_message_acked_for_queue`: elsewhere nothing is ever taken off a queue, as in EMQX. */
  readonly acked: readonly string[]
  /** Filters of `on_message_store`: an acknowledged message on them stays as history. */
  readonly history: readonly string[]
  /** Whether native deliveries can be settled: both ends of a subscription must be reported. */
  readonly settles: boolean
  /** Filters of retained messages whose truth is IoT Core's own: `"retain": "native"`. */
  readonly nativeRetained: readonly string[]
  /** Whether `on_subscribe_lookup` is on some hook: publishes then look for server-side subscribers. */
  readonly serverSubscriptions: boolean
  /** What stands before the topic in a durable subscription; '': there are none. */
  readonly durablePrefix: string
  /** The hook whose function delivers what publishes request. Absent: nobody ever takes a seat. */
  readonly deliveryHook?: HookName
  readonly expiredAfter?: number
}

const FILTER_HOOKS: readonly HookName[] = ['session.subscribed', 'session.unsubscribed', 'message.publish', 'message.acked']

/** Hooks whose rows carry a topic filter; EMQX refuses one on the others. */
export const hasTopicFilter = (hook: HookName): boolean => FILTER_HOOKS.includes(hook)

/** The configs of the hooks that the table uses, in the order of {@link HOOKS}. */
export function hookConfigs(table: HookTable): HookConfig[] {
  const uses = (hook: HookName) => table.rows.some((row) => row.hook === hook)
  const delivers = deliveryHook(table)
  return HOOKS.filter(uses).map((hook) => {
    const order: readonly ActionName[] = ACTIONS_OF_HOOK[hook]
    return {
      hook,
      rows: table.rows.filter((row) => row.hook === hook).sort((a, b) => order.indexOf(a.action) - order.indexOf(b.action)),
      subscribed: table.rows.filter((row) => row.hook === 'session.subscribed'),
      acked: filtersOf(table, 'on_message_acked_for_queue'),
      history: filtersOf(table, 'on_message_store'),
      settles: uses('client.disconnected') && uses('session.unsubscribed'),
      nativeRetained: table.rows
        .filter(({ action, retain = 'native' }) => action === 'on_message_retain' && retain === 'native')
        .map(({ topic = '#' }) => topic),
      durablePrefix: durablePrefixOf(table),
      serverSubscriptions: table.rows.some((row) => row.action === 'on_subscribe_lookup'),
      ...(delivers === undefined ? {} : { deliveryHook: delivers }),
      ...(table.expiredAfter === undefined ? {} : { expiredAfter: table.expiredAfter }),
    }
  })
}

/** Those whose functions deliver anyway, the one first whose own events may best wait for a delivery. */
const DELIVERY_HOOKS: readonly HookName[] = ['session.subscribed', 'session.created', 'client.connected']

/** What takes seats is on one of these hooks. */
function deliveryHook({ rows }: HookTable): HookName | undefined {
  const takesSeats = rows.some(({ action }) => action === 'on_subscribe_lookup' || fetches(action))
  return takesSeats ? DELIVERY_HOOKS.find((hook) => rows.some((row) => row.hook === hook)) : undefined
}

const DURABLE_PREFIX = 'durable/'

/** Durable subscriptions are of queues and of topics kept for many: without one there are none. */
export const durablePrefixOf = ({ rows, durablePrefix = DURABLE_PREFIX }: Pick<HookTable, 'rows' | 'durablePrefix'>): string =>
  rows.some(({ action }) => fetches(action)) ? durablePrefix : ''

const fetches = (action: ActionName): boolean => action === 'on_message_fetch_for_queue' || action === 'on_message_fetch_for_pubsub'

const filtersOf = (table: HookTable, action: ActionName): string[] =>
  table.rows.filter((row) => row.action === action).map((row) => row.topic ?? '#')

/** The rows whose filter covers the topic. */
export const rowsCovering = (rows: readonly HookRow[], topic: string): HookRow[] =>
  rows.filter((row) => topicMatches(row.topic ?? '#', topic))

/** The `session.subscribed` row by which stored messages on the topic are fetched, if any: a topic that is kept for many is no queue. */
export const fetchRow = (config: HookConfig, topic: string): HookRow | undefined =>
  subscribedRow(config, 'on_message_fetch_for_pubsub', topic) ?? subscribedRow(config, 'on_message_fetch_for_queue', topic)

/** Whether each subscriber of the topic gets every message, and an acknowledgement takes none off. */
export const isKeptForMany = (config: Pick<HookConfig, 'subscribed'>, topic: string): boolean =>
  subscribedRow(config, 'on_message_fetch_for_pubsub', topic) !== undefined

/** The default of `"settle"`: as long as an ordinary client may take. Seconds. */
const SETTLE = 10

/** How long a native subscriber of the topic may take to acknowledge, in ms; `undefined`: what it got is not inferred. */
export function settleTime(config: HookConfig, topic: string): number | undefined {
  const row = fetchRow(config, topic)
  const { settle = SETTLE } = row ?? { settle: 'never' }
  return settle === 'never' ? undefined : settle * 1000
}

/** Whether native wildcard subscribers take messages of the topic, or of any topic, off their queues. */
export const countsWildcards = (config: HookConfig, topic?: string): boolean =>
  topic === undefined
    ? config.subscribed.some(({ action, consumers }) => action === 'on_message_fetch_for_queue' && consumers === 'any')
    : !isKeptForMany(config, topic) && fetchRow(config, topic)?.consumers === 'any'

/** The same for retained messages. */
export const retainRow = (config: HookConfig, topic: string): HookRow | undefined => subscribedRow(config, 'on_retain_lookup', topic)

const subscribedRow = (config: Pick<HookConfig, 'subscribed'>, action: HookRow['action'], topic: string) =>
  rowsCovering(config.subscribed, topic).find((row) => row.action === action)

/**
 * The calls that each hook's function makes: its IAM role allows these and no others. A test records the calls of all handlers
 * and compares them with this list, both ways (I9).
 */
import type { ActionName, HookConfig } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'

export type DynamoOperation = 'GetItem' | 'BatchGetItem' | 'Query' | 'Scan' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem'
export type DataPlaneOperation = 'SendDirectMessage' | 'GetConnection' | 'ListSubscriptions' | 'GetRetainedMessage'

export interface Grants {
  /** Table -> operations on the table. */
  readonly tables: Partial<Record<TableName, readonly DynamoOperation[]>>
  /** Whether the function may query the index of mqtt_retain. */
  readonly retainIndex: boolean
  /** SendDirectMessage, GetConnection and ListSubscriptions on `client/*`, GetRetainedMessage on `topic/*`. */
  readonly dataPlane: readonly DataPlaneOperation[]
  /** Whether the function may send to the queue of the function that delivers. */
  readonly requestsDelivery: boolean
}

type Calls = readonly (`${TableName}:${DynamoOperation}` | 'mqtt_retain/index:Query' | DataPlaneOperation | 'SendMessage')[]

/** Removing message ids from head and segments, and the check whether a message was stored again meanwhile. */
const DROP_NAMES: Calls = [
  'mqtt_topic_msg_map:UpdateItem',
  'mqtt_topic_msg_map:PutItem',
  'mqtt_topic_msg_map:DeleteItem',
  'mqtt_msg:BatchGetItem',
]
const ACKNOWLEDGE: Calls = ['mqtt_acked:PutItem', 'mqtt_msg:BatchWriteItem', ...DROP_NAMES]
/** Where the history is kept, a message's row notes whose PUBACK its sender was told of. */
const noting = (config: HookConfig): Calls => (config.history.length > 0 ? ['mqtt_msg:UpdateItem'] : [])
/** A conf without on_message_acked_for_queue acknowledges nothing, but expired messages are removed there too. */
const CLEAN: Calls = ['mqtt_msg:BatchWriteItem', ...DROP_NAMES]
const acknowledges = (config: HookConfig): boolean => config.acked.length > 0
/** Read positions of topics kept for many. */
const MOVE_POSITION: Calls = ['mqtt_acked:GetItem', 'mqtt_acked:UpdateItem']
/** Whether the client may listen to the topic by another filter, though its connection has ended. */
const STILL_LISTENS: Calls = ['mqtt_client:GetItem', 'mqtt_topic_msg_map:GetItem']
/** An UNSUBSCRIBE that is handled meanwhile takes the position away again. */
const BEGIN_POSITION: Calls = [...MOVE_POSITION, 'mqtt_acked:DeleteItem', 'mqtt_topic_msg_map:GetItem', 'mqtt_topic_msg_map:BatchGetItem']
/** A delivery that lets go of its invocation requests that it goes on. */
const nextSlice = (config: HookConfig): Calls => (config.deliveryHook === undefined ? [] : ['SendMessage'])
const drain = (config: HookConfig): Calls => [
  'mqtt_topic_msg_map:GetItem',
  'mqtt_topic_msg_map:BatchGetItem',
  'SendDirectMessage',
  ...(acknowledges(config) ? [...ACKNOWLEDGE, ...noting(config)] : CLEAN),
  ...(isKept(config) ? MOVE_POSITION : []),
  ...nextSlice(config),
]
/** When subscriptions ended is asked, too. */
const SETTLE: Calls = ['mqtt_client:GetItem', 'mqtt_topic_msg_map:GetItem', 'mqtt_topic_msg_map:BatchGetItem', ...ACKNOWLEDGE]
const isKept = (config: HookConfig): boolean => config.subscribed.some(({ action }) => action === 'on_message_fetch_for_pubsub')
const hasQueues = (config: HookConfig): boolean => config.subscribed.some(({ action }) => action === 'on_message_fetch_for_queue')
const fetches = (config: HookConfig): boolean => isKept(config) || hasQueues(config)
const settles = (config: HookConfig): boolean => config.settles && acknowledges(config) && hasQueues(config)
const settling = (config: HookConfig): Calls => (settles(config) ? ['GetConnection', 'ListSubscriptions', ...SETTLE] : [])
/** What a native subscriber surely got on topics kept for many is remembered when its connection ends, and passed by its next SUBSCRIBE. */
const remembersWindows = (config: HookConfig): boolean =>
  config.settles && config.subscribed.some(({ action, settle }) => action === 'on_message_fetch_for_pubsub' && settle !== 'never')
const REMEMBER_WINDOW: Calls = ['mqtt_client:GetItem', 'mqtt_topic_msg_map:GetItem', 'GetConnection', 'mqtt_acked:UpdateItem']
const GO_LIVE: Calls = ['mqtt_topic_msg_map:UpdateItem', 'mqtt_topic_msg_map:GetItem', 'mqtt_client:GetItem']
/** Where the seat of a client's own subscription is stands in its row. */
const GO_LIVE_NATIVE: Calls = [...GO_LIVE, 'mqtt_sub:GetItem', 'mqtt_sub:UpdateItem']
/** Whether an operator's row stands, asked before each delivery, and the end of what it stood for. */
const OPERATOR_ROW: Calls = ['mqtt_sub:Query', 'mqtt_topic_msg_map:UpdateItem']
const PUSH: Calls = ['mqtt_topic_msg_map:BatchGetItem', 'SendDirectMessage']

const RETAINED = (config: HookConfig, retainIndex: boolean): Calls => [
  'mqtt_retain:Scan',
  'mqtt_retain:BatchGetItem',
  ...(retainIndex ? (['mqtt_retain/index:Query'] as const) : []),
  // How far a SUBSCRIBE has come.
  'mqtt_topic_msg_map:PutItem',
  'mqtt_topic_msg_map:GetItem',
  ...(config.nativeRetained.length > 0 ? (['GetRetainedMessage'] as const) : []),
  'SendDirectMessage',
]

function callsOf(action: ActionName, config: HookConfig, retainIndex: boolean): Calls {
  const follows = (followed: ActionName) => config.subscribed.some((row) => row.action === followed)
  switch (action) {
    case 'on_client_connected':
      return [
        'mqtt_client:PutItem',
        'mqtt_client:UpdateItem',
        'mqtt_sub:Query',
        'mqtt_sub:DeleteItem',
        'mqtt_topic_msg_map:GetItem',
        'mqtt_topic_msg_map:UpdateItem',
      ]
    case 'on_subscribe_lookup':
      return [
        'mqtt_sub:Query',
        ...GO_LIVE,
        ...(fetches(config) ? drain(config) : []),
        ...(isKept(config) ? BEGIN_POSITION : []),
        ...(follows('on_retain_lookup') ? RETAINED(config, retainIndex) : []),
      ]
    case 'on_client_disconnected':
      return [
        'mqtt_client:UpdateItem',
        'mqtt_sub:Query',
        'mqtt_sub:DeleteItem',
        'mqtt_topic_msg_map:UpdateItem',
        'mqtt_topic_msg_map:GetItem',
        ...settling(config),
        ...(remembersWindows(config) ? REMEMBER_WINDOW : []),
      ]
    case 'on_message_fetch_for_queue':
      return ['ListSubscriptions', ...GO_LIVE_NATIVE, ...drain(config), ...settling(config)]
    case 'on_message_fetch_for_pubsub':
      return [...(remembersWindows(config) ? (['ListSubscriptions'] as const) : []), ...GO_LIVE_NATIVE, ...drain(config), ...BEGIN_POSITION]
    case 'on_retain_lookup':
      return [...RETAINED(config, retainIndex), 'GetRetainedMessage']
    case 'on_acked_delete':
      return ['mqtt_acked:GetItem', 'mqtt_acked:DeleteItem', ...(isKept(config) ? STILL_LISTENS : [])]
    case 'on_message_publish':
      return [
        'mqtt_msg:PutItem',
        'mqtt_msg:BatchWriteItem',
        'mqtt_topic_msg_map:UpdateItem',
        'mqtt_topic_msg_map:PutItem',
        ...DROP_NAMES,
        ...requesting(config),
        ...settling(config),
      ]
    case 'on_message_store':
      return ['mqtt_msg:PutItem']
    case 'on_message_retain':
      return ['mqtt_retain:PutItem', 'mqtt_retain:DeleteItem', 'mqtt_topic_msg_map:GetItem', ...retainChecks(config)]
    case 'on_retain_delete':
      return ['mqtt_retain:DeleteItem', 'mqtt_topic_msg_map:PutItem', ...retainChecks(config)]
    case 'on_message_acked_for_pubsub':
      return ['mqtt_sub:Query', 'mqtt_msg:BatchGetItem', 'mqtt_topic_msg_map:GetItem', 'mqtt_topic_msg_map:BatchGetItem', ...MOVE_POSITION]
    case 'on_message_acked_for_queue':
      return ['mqtt_sub:Query', 'mqtt_topic_msg_map:GetItem', 'mqtt_topic_msg_map:BatchGetItem', ...ACKNOWLEDGE]
  }
}

/** Only `"retain": "native"` asks IoT Core, beside storing the message: what depends on the answer is written after it. */
const retainChecks = (config: HookConfig): Calls =>
  config.rows.some(({ action, retain = 'native' }) => /retain/.test(action) && retain === 'native')
    ? [
        'GetRetainedMessage',
        'mqtt_retain:GetItem',
        'mqtt_topic_msg_map:GetItem',
        'mqtt_topic_msg_map:PutItem',
        'mqtt_topic_msg_map:BatchGetItem',
        'mqtt_msg:BatchGetItem',
        ...(config.rows.some(({ action }) => action === 'on_message_publish' || action === 'on_message_store')
          ? (['mqtt_msg:UpdateItem'] as const)
          : []),
      ]
    : []

/** The calls of the hook's handler outside its actions. */
function callsOfHook(config: HookConfig): Calls {
  switch (config.hook) {
    case 'session.subscribed':
      return [
        'mqtt_sub:UpdateItem',
        'mqtt_sub:DeleteItem',
        'mqtt_client:GetItem',
        'mqtt_topic_msg_map:GetItem',
        'mqtt_topic_msg_map:UpdateItem',
      ]
    case 'session.unsubscribed':
      return [
        'mqtt_sub:Query',
        'mqtt_sub:DeleteItem',
        'mqtt_topic_msg_map:UpdateItem',
        'mqtt_topic_msg_map:GetItem',
        ...(fetches(config) ? [...settling(config), 'mqtt_topic_msg_map:BatchGetItem' as const, ...nextSlice(config)] : []),
      ]
    case 'message.publish':
      return config.serverSubscriptions ? requesting(config) : []
    default:
      return []
  }
}

/** A publish that looks for receivers, and requests their deliveries. */
const requesting = (config: HookConfig): Calls =>
  config.deliveryHook === undefined ? [] : ['mqtt_topic_msg_map:BatchGetItem', 'SendMessage']

/** What publishes request, on the function that delivers. */
const deliveryCalls = (config: HookConfig): Calls =>
  config.deliveryHook === config.hook
    ? [
        'mqtt_msg:BatchGetItem',
        'mqtt_client:GetItem',
        'mqtt_topic_msg_map:UpdateItem',
        ...PUSH,
        ...drain(config),
        ...(config.serverSubscriptions ? OPERATOR_ROW : []),
      ]
    : []

/** The grants of one hook's function. Each list is sorted and without repetition. */
export function grantsOf(config: HookConfig, { retainIndex }: { retainIndex: boolean }): Grants {
  const calls = [
    ...callsOfHook(config),
    ...deliveryCalls(config),
    ...config.rows.flatMap(({ action }) => callsOf(action, config, retainIndex)),
  ]
  const unique = [...new Set<string>(calls)].sort()
  const ofTable = (table: TableName) => unique.filter((call) => call.startsWith(`${table}:`)).map((call) => call.slice(table.length + 1))
  return {
    tables: Object.fromEntries(
      TABLE_NAMES.map((table) => [table, ofTable(table) as DynamoOperation[]] as const).filter(([, operations]) => operations.length > 0),
    ),
    retainIndex: unique.includes('mqtt_retain/index:Query'),
    dataPlane: unique.filter((call): call is DataPlaneOperation => !call.includes(':') && call !== 'SendMessage'),
    requestsDelivery: unique.includes('SendMessage'),
  }
}

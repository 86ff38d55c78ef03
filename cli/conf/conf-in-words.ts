/** What a hook table does, in sentences. */
import { type ActionName, HOOKS, type HookName, type HookRow, type HookTable } from '../../lambda/core/hooks.ts'
import { surprisesOf } from './surprises.ts'

const WHEN: Readonly<Record<HookName, string>> = {
  'client.connected': 'When a client connects',
  'session.created': 'When a session begins, which is when its client connects',
  'client.disconnected': 'When a client disconnects',
  'session.subscribed': 'When a client subscribes',
  'session.unsubscribed': 'When a client unsubscribes',
  'message.publish': 'When a message is published',
  'message.acked': 'When a client acknowledges a message from a queue',
}

const DOES: Readonly<Record<ActionName, string>> = {
  on_client_connected: 'its row of mqtt_client says that it is online',
  on_subscribe_lookup: 'it is subscribed to its rows of mqtt_sub that you wrote',
  on_client_disconnected: 'its row of mqtt_client says that it is offline, and its subscriptions end',
  on_message_fetch_for_queue: 'it gets what is queued, oldest first, if the topic is exact',
  on_message_fetch_for_pubsub:
    'it gets what came since it was last there, oldest first, if the topic is exact; each subscriber gets each message',
  on_retain_lookup: 'it gets the retained messages of mqtt_retain, also by a wildcard',
  on_acked_delete: 'its last acknowledgement in mqtt_acked is deleted',
  on_message_publish: 'it is stored in mqtt_msg and put on the queue of its topic, mqtt_topic_msg_map',
  on_message_store: 'it is stored in mqtt_msg as history, which stays after an acknowledgement',
  on_message_retain: "if it is retained, it becomes its topic's row of mqtt_retain",
  on_retain_delete: "if it is retained and empty, its topic's row of mqtt_retain is deleted",
  on_message_acked_for_queue: 'it leaves the queue for everybody, and mqtt_acked names it',
  on_message_acked_for_pubsub: 'its read position in mqtt_acked moves on; others get the message all the same',
}

/** @param file what the answer calls the conf */
export function confInWords(file: string, table: HookTable): string {
  const { region, expiredAfter } = table
  const hooks = HOOKS.flatMap((hook) => {
    const rows = table.rows.filter((row) => row.hook === hook)
    return rows.length === 0 ? [] : ['', `${WHEN[hook]} (${hook})`, ...rows.map(rowInWords)]
  })
  const surprises = surprisesOf(table)
  return [
    `${file}: ${table.rows.length} rows, ${region === undefined ? 'no region' : `region ${region}`}`,
    ...hooks,
    '',
    `Stored messages expire ${expiredAfter === undefined ? 'never' : `${duration(expiredAfter)} after they were published`}.`,
    ...(surprises.length === 0 ? [] : ['', 'What may surprise you', ...surprises.map((line) => `  - ${line}`)]),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

const QUEUE_ACTIONS: readonly ActionName[] = ['on_message_publish', 'on_message_fetch_for_queue']

/** `  on cmd/# it is stored ... (on_message_publish; qos 0)` */
function rowInWords({ hook: _, label: __, pool: ___, action, topic, ...choices }: HookRow): string {
  const chosen = Object.entries(choices).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  const notQueued = choices.qos === 0 && QUEUE_ACTIONS.includes(action) ? ', but what has QoS 0 is not queued' : ''
  return `  ${topic === undefined ? '' : `on ${topic} `}${DOES[action]}${notQueued} (${[action, ...chosen].join('; ')})`
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** In the largest unit of which it is a whole number. */
function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds % size === 0)!
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

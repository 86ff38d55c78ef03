/** What IoT Core, SQS and Lambda cost: the same for every access pattern that runs behind the same rules. */
import { type Component, component } from './bill.ts'
import { connections, iotParts, MONTH_MINUTES, type Workload } from './costs-workload.ts'
import { METERED, PRICES, parts } from './prices.ts'

/** Events of a connection with the default conf: two hooks for connected, one for subscribed, one for disconnected. */
const EVENTS_OF_CONNECTION = 4
/** IoT Core bills CONNECT and SUBSCRIBE. It does not bill DISCONNECT, pings and its own PUBACKs. */
const MESSAGES_OF_CONNECTION = 2
/** Bytes of an event in its queue, without the payload in base64. */
const EVENT_BYTES = 400

/** Messages without this backend: publishes, their delivery to subscribers that are online, the subscribers' PUBACKs, retained messages, connections. */
export function nativeMessages(workload: Workload): number {
  const { publishes, subscribers, offline, retained } = workload
  const each = iotParts(workload)
  const delivered = publishes * (1 - offline) * subscribers
  return publishes * each * (1 + retained) + delivered * (each + 1) + connections(workload) * MESSAGES_OF_CONNECTION
}

/** Messages of this backend: for a direct message the HTTP request, the PUBLISH and its PUBACK; with `native` a GetRetainedMessage for each publish. */
function backendMessages(workload: Workload): number {
  const { publishes, offline, retain } = workload
  return publishes * offline * (2 * iotParts(workload) + 1) + (retain === 'native' ? publishes : 0)
}

export const connectivity = ({ clients, offline }: Workload): Component =>
  component('IoT Core connection minutes', clients * (1 - offline) * MONTH_MINUTES, PRICES.connectionMinute)

export function platform(workload: Workload): Component[] {
  const { publishes, offline, batch, milliseconds, memoryMegabytes } = workload
  const lifecycle = connections(workload) * EVENTS_OF_CONNECTION
  const ruled = publishes * iotParts(workload) + lifecycle
  const events = publishes + lifecycle
  const sends = publishes * parts(eventBytes(workload), METERED.sqs) + lifecycle
  const receives = (events * parts(batch * eventBytes(workload), METERED.sqs)) / batch
  const seconds = ((events + publishes * offline) * milliseconds) / 1000
  return [
    connectivity(workload),
    component('IoT Core messages', nativeMessages(workload) + backendMessages(workload), PRICES.iotMessage),
    component('IoT rules triggered', ruled, PRICES.ruleTriggered),
    component('IoT rule actions', ruled, PRICES.ruleAction),
    component('SQS send, receive, delete', sends + receives + events / batch, PRICES.sqsRequest),
    component('Lambda invocations', events / batch, PRICES.lambdaRequest),
    component('Lambda GB-seconds', (seconds * memoryMegabytes) / 1024, PRICES.lambdaGigabyteSecond),
  ]
}

const eventBytes = ({ payload, topic, client }: Workload): number => EVENT_BYTES + topic + client + Math.ceil(payload / 3) * 4

export const tables = ({ writes, reads }: { writes: number; reads: number }, { storage }: Workload): Component[] => [
  component('DynamoDB write units', writes, PRICES.writeUnit),
  component('DynamoDB read units', reads, PRICES.readUnit),
  component('DynamoDB storage, GB', storage, PRICES.storageGigabyteMonth),
]

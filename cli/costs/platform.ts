/** What IoT Core, SQS, Lambda and CloudWatch cost: the same for every access pattern that runs behind the same rules. */
import { type Component, component } from './bill.ts'
import { connections, iotParts, MONTH_MINUTES, pushed, type Workload } from './costs-workload.ts'
import { ALARM_METRICS, CUSTOM_METRICS, LAMBDA_LOGS, LOGGED } from './measured-units.ts'
import { METERED, PRICES, parts } from './prices.ts'

/** Events of a connection with the default conf: two hooks for connected, one for subscribed, one for disconnected. */
const EVENTS_OF_CONNECTION = 4
/** IoT Core bills CONNECT and SUBSCRIBE. It does not bill DISCONNECT, pings and its own PUBACKs. */
const MESSAGES_OF_CONNECTION = 2
/** Bytes of an event in its queue, without the payload in base64. */
const EVENT_BYTES = 400

/** Messages that IoT Core takes and delivers itself: publishes, deliveries to subscribers online, their PUBACKs, retained messages, connections. */
export function nativeMessages(workload: Workload): number {
  const { publishes, subscribers, offline, retained } = workload
  const each = iotParts(workload)
  const delivered = (publishes * (1 - offline) - pushed(workload)) * subscribers
  return publishes * each * (1 + retained) + delivered * (each + 1) + connections(workload) * MESSAGES_OF_CONNECTION
}

/** Messages that this backend adds. A direct message is three: HTTP request, PUBLISH, PUBACK. `native`: a GetRetainedMessage a publish. */
function backendMessages(workload: Workload): number {
  const { publishes, offline, retain } = workload
  return (publishes * offline + pushed(workload)) * (2 * iotParts(workload) + 1) + (retain === 'native' ? publishes : 0)
}

export const connectivity = ({ clients, offline }: Workload): Component =>
  component('IoT Core connection minutes', clients * (1 - offline) * MONTH_MINUTES, PRICES.connectionMinute)

/** Queues that a mapping polls: one a hook of the default conf. */
const QUEUES = 7
/** Lambda's five pollers ask an empty queue every 20 seconds each, by long polling. */
const POLLS = QUEUES * 15 * MONTH_MINUTES
const GIGABYTE = 1024 ** 3

/** What a stack costs in a month in which nothing happens. A custom metric without values costs nothing. */
const standing = (): Component[] => [
  component('CloudWatch alarm metrics', ALARM_METRICS, PRICES.alarmMetric),
  component('CloudWatch dashboards', 1, PRICES.dashboard),
  component('CloudWatch custom metrics', CUSTOM_METRICS, PRICES.customMetric),
  component('SQS polls of empty queues', POLLS, PRICES.sqsRequest),
]

/** GB that the functions log, and that Lambda logs about them. */
function logged({ batch, logLevel }: Workload, events: number, { event, metrics }: { event: number; metrics: number }): number {
  const ofEvents = logLevel === 'info' ? events * (event + LOGGED.line) : 0
  return (ofEvents + (events / batch) * (metrics + LOGGED.line + LAMBDA_LOGS)) / GIGABYTE
}

export function platform(workload: Workload): Component[] {
  const { publishes, offline, batch, milliseconds, memoryMegabytes } = workload
  const lifecycle = connections(workload) * EVENTS_OF_CONNECTION
  const ruled = publishes * iotParts(workload) + lifecycle
  const events = publishes + lifecycle
  // Delivery requests, a few hundred bytes each.
  const requests = pushed(workload)
  const sends = publishes * parts(eventBytes(workload), METERED.sqs) + lifecycle + requests
  const receives = (events * parts(batch * eventBytes(workload), METERED.sqs) + requests) / batch
  const invocations = (events + requests) / batch
  const seconds = ((events + requests + publishes * offline) * milliseconds) / 1000
  return [
    connectivity(workload),
    component('IoT Core messages', nativeMessages(workload) + backendMessages(workload), PRICES.iotMessage),
    component('IoT rules triggered', ruled, PRICES.ruleTriggered),
    component('IoT rule actions', ruled, PRICES.ruleAction),
    component('SQS send, receive, delete', sends + receives + invocations, PRICES.sqsRequest),
    component('Lambda invocations', invocations, PRICES.lambdaRequest),
    component('Lambda GB-seconds', (seconds * memoryMegabytes) / 1024, PRICES.lambdaGigabyteSecond),
    component('CloudWatch logs, GB', logged(workload, events, LOGGED) + logged(workload, requests, LOGGED.delivery), PRICES.logGigabyte),
    ...standing(),
  ]
}

const eventBytes = ({ payload, topic, client }: Workload): number => EVENT_BYTES + topic + client + Math.ceil(payload / 3) * 4

export const tables = ({ writes, reads }: { writes: number; reads: number }, { storage }: Workload): Component[] => [
  component('DynamoDB write units', writes, PRICES.writeUnit),
  component('DynamoDB read units', reads, PRICES.readUnit),
  component('DynamoDB storage, GB', storage, PRICES.storageGigabyteMonth),
]

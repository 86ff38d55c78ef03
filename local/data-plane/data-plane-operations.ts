/** The IoT data plane's operations, each named as the service names it. */
import { randomUUID } from 'node:crypto'
import type { Broker } from '../mqtt/broker.ts'
import type { Client } from '../mqtt/client-registry.ts'
import { checkClientId, checkPublishTopic, MAX_PUBLISHES_PER_SECOND } from '../mqtt/iot-limits.ts'
import type { MqttMessage } from '../mqtt/mqtt-message.ts'
import { TokenBuckets } from '../token-bucket.ts'
import { asRequestCheck, DataPlaneError } from './data-plane-error.ts'
import { flag, type HttpRequest, integer, mqttProperties } from './http-request.ts'

/** Quotas a second for one client (quota page). */
const LOOKUPS = 1
/** GetConnection forgets a client half an hour after its disconnect. */
const DISCONNECT_MEMORY_MS = 30 * 60_000
const DEFAULT_CONFIRM_SECONDS = 5

export class DataPlaneOperations {
  readonly #broker: Broker
  readonly #connectionLookups = new TokenBuckets(LOOKUPS)
  readonly #subscriptionLookups = new TokenBuckets(LOOKUPS)

  constructor(broker: Broker) {
    this.#broker = broker
  }

  async publish(request: HttpRequest, topic: string): Promise<object> {
    asRequestCheck(() => checkPublishTopic(topic))
    const qos = integer(request, 'qos', { least: 0, most: 1, otherwise: 0 }) as 0 | 1
    const expiry = integer(request, 'messageExpiry', { least: 0, most: 604_800, otherwise: 0 })
    const message: MqttMessage = {
      topic,
      payload: request.body,
      qos,
      retain: flag(request, 'retain'),
      properties: mqttProperties(request),
      ...(expiry > 0 ? { expiresAt: Date.now() + expiry * 1000 } : {}),
    }
    await new Promise<void>((resolve) => this.#broker.options.backlog.whenRoom(resolve))
    this.#broker.publish(message)
    return { message: 'OK', traceId: randomUUID() }
  }

  async sendDirectMessage(request: HttpRequest, clientid: string): Promise<object> {
    asRequestCheck(() => checkClientId(clientid))
    const topic = request.query.get('topic') ?? ''
    asRequestCheck(() => checkPublishTopic(topic))
    const seconds = integer(request, 'timeout', { least: 1, most: 15, otherwise: DEFAULT_CONFIRM_SECONDS })
    const confirmMs = flag(request, 'confirmation') ? seconds * 1000 : undefined
    const properties = mqttProperties(request)
    const { session } = this.#connected(clientid)
    const message: MqttMessage = { topic, payload: request.body, qos: confirmMs === undefined ? 0 : 1, retain: false, properties }
    const outcome = await session!.direct(message, confirmMs)
    if (outcome === 'throttled') throw throttled(`more than ${MAX_PUBLISHES_PER_SECOND} publishes a second to client ${clientid}`)
    if (outcome === 'busy') throw throttled(`client ${clientid} has as many unacknowledged messages as it takes`)
    if (outcome === 'unconfirmed')
      throw new DataPlaneError('GatewayTimeoutException', `client ${clientid} did not confirm the message within ${seconds} s`)
    return { message: 'OK', traceId: randomUUID() }
  }

  getConnection(request: HttpRequest, clientid: string): object {
    asRequestCheck(() => checkClientId(clientid))
    if (!this.#connectionLookups.take(clientid)) throw throttled(`more than ${LOOKUPS} GetConnection a second for client ${clientid}`)
    const client = this.#known(clientid)
    const { connection, session, keepAliveSeconds, disconnectedSince, disconnectReason } = client
    const socket = connection && flag(request, 'includeSocketInformation') ? connection.socket : undefined
    return {
      clientId: clientid,
      connected: connection !== undefined,
      cleanSession: (session?.expirySeconds ?? 0) === 0,
      keepAliveDuration: keepAliveSeconds,
      sessionExpiry: session?.expirySeconds ?? 0,
      ...(connection ? { connectedSince: connection.connectedSince } : { disconnectedSince, disconnectReason }),
      ...(socket ? { sourceIp: socket.remoteAddress, sourcePort: socket.remotePort } : {}),
      ...(socket ? { targetIp: socket.localAddress, targetPort: socket.localPort } : {}),
    }
  }

  listSubscriptions(_: HttpRequest, clientid: string): object {
    asRequestCheck(() => checkClientId(clientid))
    if (!this.#subscriptionLookups.take(clientid)) throw throttled(`more than ${LOOKUPS} ListSubscriptions a second for client ${clientid}`)
    const { session } = this.#known(clientid)
    if (!session) throw new DataPlaneError('ResourceNotFoundException', `client ${clientid} has no session`)
    return { subscriptions: [...session.subscriptions].map(([topicFilter, { qos }]) => ({ topicFilter, qos })) }
  }

  deleteConnection(request: HttpRequest, clientid: string): object {
    asRequestCheck(() => checkClientId(clientid))
    const { connection, session } = this.#connected(clientid)
    if (flag(request, 'preventWillMessage')) connection!.will = undefined
    if (flag(request, 'cleanSession')) session!.expirySeconds = 0
    connection!.end('API_INITIATED_DISCONNECT', undefined, 0x98)
    return {}
  }

  getRetainedMessage(_: HttpRequest, topic: string): object {
    asRequestCheck(() => checkPublishTopic(topic))
    const retained = this.#broker.retained.of(topic, Date.now())
    if (!retained) throw new DataPlaneError('ResourceNotFoundException', `no retained message on topic ${topic}`)
    const { payload, qos, properties } = retained.message
    const user = properties.user?.map(([key, value]) => ({ [key]: value }))
    const userProperties = user && Buffer.from(JSON.stringify(user)).toString('base64')
    const content = { payload: payload.toString('base64'), qos, lastModifiedTime: retained.lastModifiedTime }
    return { topic, ...content, ...(userProperties === undefined ? {} : { userProperties }) }
  }

  listRetainedMessages(request: HttpRequest): object {
    const most = integer(request, 'maxResults', { least: 1, most: 200, otherwise: 200 })
    const after = request.query.get('nextToken')
    const all = this.#broker.retained.all(Date.now()).filter(({ message }) => after === null || message.topic > after)
    const page = all.slice(0, most)
    const retainedTopics = page.map(({ message: { topic, payload, qos }, lastModifiedTime }) => {
      return { topic, payloadSize: payload.length, qos, lastModifiedTime }
    })
    return { retainedTopics, ...(all.length > most ? { nextToken: page.at(-1)!.message.topic } : {}) }
  }

  #connected(clientid: string): Client {
    const client = this.#broker.clients.of(clientid)
    if (client?.connection) return client
    const session = client?.session ? ', but has an active persistent session' : ''
    throw new DataPlaneError('ResourceNotFoundException', `client ${clientid} is not connected${session}`)
  }

  #known(clientid: string): Client {
    const client = this.#broker.clients.of(clientid)
    const gone = client?.disconnectedSince ?? 0
    if (client && (client.session || gone > Date.now() - DISCONNECT_MEMORY_MS)) return client
    throw new DataPlaneError('ResourceNotFoundException', `client ${clientid} is not known`)
  }
}

const throttled = (message: string) => new DataPlaneError('ThrottlingException', message)

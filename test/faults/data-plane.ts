/** The IoT data plane behind the wire: who is connected, what IoT Core retains, and what each client got. */
import { type Answer, bytesOf, failure, type Request, success } from './http.ts'

export interface Received {
  readonly clientid: string
  readonly topic: string
  readonly msgid: string
  readonly payload: string
  readonly retain: boolean
}

export interface Connectivity {
  /** Absent: not known to the platform. */
  readonly connections: ReadonlyMap<string, { readonly connected: boolean; readonly connectedSince?: number; readonly keepAlive?: number }>
  /** Client id -> filter -> QoS. */
  readonly granted: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly retained: ReadonlyMap<string, { readonly payload: Buffer; readonly qos: number; readonly lastModified: number }>
}

export class DataPlane {
  private readonly now: Connectivity
  private readonly acknowledges: (clientid: string) => void
  /** In the order in which the clients got them. */
  readonly received: Received[] = []
  readonly connected = new Set<string>()
  /** Whether GetConnection knows anybody: without it nothing is settled in mid-window. */
  tellsConnections = true

  /** `acknowledges`: is told before a client sends its PUBACK. */
  constructor(now: Connectivity, acknowledges: (clientid: string) => void) {
    this.now = now
    this.acknowledges = acknowledges
    for (const [id, { connected }] of now.connections) if (connected) this.connected.add(id)
  }

  perform(request: Request): Answer {
    const [what, id = '', more] = request.path.split('/').slice(1).map(decodeURIComponent)
    if (request.method === 'POST' && what === 'connections' && more === 'messages') return this.send(id, request)
    if (request.method === 'GET' && what === 'connections' && more === 'subscriptions') return this.subscriptions(id)
    if (request.method === 'GET' && what === 'connections') return this.connection(id)
    if (request.method === 'GET' && what === 'retainedMessage') return this.retained(id)
    throw new Error(`I8: ${request.method} ${request.path} is nothing that a handler may call`)
  }

  private send(clientid: string, { query, headers, body }: Request): Answer {
    const topic = `${query?.topic}`
    if (topic.startsWith('$')) throw new Error(`I8: a message to ${topic}`)
    if (query?.confirmation !== 'true') throw new Error('a direct message without confirmation')
    if (!this.connected.has(clientid)) return failure('ResourceNotFoundException', 404)
    // All but a receipt tell their msgid.
    if (headers['x-amz-mqtt5-user-properties'] === undefined) return success({ message: 'OK', traceId: 'x' })
    const properties = JSON.parse(Buffer.from(headers['x-amz-mqtt5-user-properties'], 'base64').toString()) as Record<string, string>[]
    const property = (name: string) => properties.find((one) => name in one)?.[name]
    this.received.push({
      clientid,
      topic,
      msgid: property('msgid') ?? '',
      payload: bytesOf({ body: body ?? '' }).toString(),
      retain: property('retain') === '1',
    })
    this.acknowledges(clientid)
    return success({ message: 'OK', traceId: 'x' })
  }

  private connection(clientId: string): Answer {
    const known = this.now.connections.get(clientId)
    if (known === undefined || !this.tellsConnections) return failure('ResourceNotFoundException', 404)
    const { connectedSince, keepAlive } = known
    return success({ clientId, connected: this.connected.has(clientId), connectedSince, keepAliveDuration: keepAlive })
  }

  private subscriptions(clientId: string): Answer {
    const granted = this.now.granted.get(clientId)
    if (granted === undefined) return failure('ResourceNotFoundException', 404)
    return success({ subscriptions: [...granted].map(([topicFilter, qos]) => ({ topicFilter, qos })) })
  }

  private retained(topic: string): Answer {
    const message = this.now.retained.get(topic)
    if (message === undefined) return failure('ResourceNotFoundException', 404)
    const { payload, qos, lastModified } = message
    return success({ topic, payload: payload.toString('base64'), qos, lastModifiedTime: lastModified })
  }
}

/** Events as IoT Core's rules put them on the hooks' queues. The same arguments make the same event. Times in ms. */
import { msgidOf } from '../lambda/core/msgid.ts'

/** The n-th UUID. */
const uuidOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
/** The leading bits make the message id differ. */
const traceidOf = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`

export const publishEvent = (topic: string, n: number, options: { readonly at: number; readonly payload?: string }) => ({
  topic,
  clientid: 'mqttjs_231b962d5c',
  timestamp: options.at,
  traceid: traceidOf(n),
  uuid: uuidOf(n),
  payload: Buffer.from(options.payload ?? `${n}`.padEnd(100, '.')).toString('base64'),
})

/** The id under which the n-th publish is stored. */
export const msgidOfPublish = (n: number, at: number): string => msgidOf({ at, uuid: traceidOf(n) })

/** A client's connections are numbered from 0. */
const connection = (clientId: string, session: string, timestamp: number, versionNumber: number) => ({
  clientId,
  timestamp,
  sessionIdentifier: session,
  principalIdentifier: 'bench',
  versionNumber,
})

export const connectedEvent = (clientid: string, session: string, at: number, version = 0) => ({
  ...connection(clientid, session, at, version),
  eventType: 'connected',
  ipAddress: '127.0.0.1',
})

export const disconnectedEvent = (clientid: string, session: string, at: number) => ({
  ...connection(clientid, session, at, 0),
  eventType: 'disconnected',
  clientInitiatedDisconnect: true,
  disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
})

export const subscribedEvent = (clientid: string, session: string, topics: readonly string[], at: number) => ({
  clientId: clientid,
  timestamp: at,
  eventType: 'subscribed',
  sessionIdentifier: session,
  principalIdentifier: 'bench',
  topics,
})

export const ackEvent = (clientid: string, msgid: string, topic: string, at: number) => ({
  topic: `acked/${clientid}`,
  clientid,
  timestamp: at,
  payload: Buffer.from(JSON.stringify({ msgid, topic })).toString('base64'),
})

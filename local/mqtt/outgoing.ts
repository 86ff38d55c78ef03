/** Messages to a client, and the connection that carries them. */
import type { IPublishPacket } from 'mqtt-packet'
import type { TokenBucket } from '../token-bucket.ts'
import type { MqttMessage } from './mqtt-message.ts'

/** The connection that a session has at the moment. */
export interface Link {
  readonly protocol: 4 | 5
  /** How many unacknowledged messages the client takes (MQTT 5 Receive Maximum). */
  readonly window: number
  /** Bytes that the client's socket has not taken yet. */
  readonly unsent: number
  /** Publishes to the client. */
  readonly rate: TokenBucket
  /** Whether the client takes a packet of that size (MQTT 5 Maximum Packet Size). */
  takes(packet: IPublishPacket): boolean
  send(packet: IPublishPacket): void
}

export interface Outgoing {
  readonly message: MqttMessage
  readonly retain: boolean
  /** The shared filter that matched it. */
  readonly share?: string | undefined
}

export interface InFlight extends Outgoing {
  /** Of a direct message: told whether the PUBACK came. */
  readonly confirm?: (acked: boolean) => void
}

export type DirectOutcome = 'sent' | 'acked' | 'unconfirmed' | 'busy' | 'throttled'

export const isExpired = ({ message: { expiresAt } }: Outgoing): boolean => expiresAt !== undefined && expiresAt <= Date.now()

/** The client of the page "Try it": it subscribes for as long as somebody looks. */
import { randomBytes } from 'node:crypto'
import mqtt from 'mqtt'
import { payloadText } from './text.ts'

export interface Received {
  readonly topic: string
  /** As the page shows it. */
  readonly payload: string
  readonly qos: number
}

const CONNECT_MS = 5_000

/** Resolves when the client is subscribed. @returns what ends it @throws the broker's refusal */
export async function subscriber(url: string, filter: string, onMessage: (message: Received) => void): Promise<() => Promise<void>> {
  const clientId = `console-${randomBytes(4).toString('hex')}`
  const client = await mqtt.connectAsync(url, { clientId, reconnectPeriod: 0, connectTimeout: CONNECT_MS }, false)
  client.on('error', () => undefined)
  client.on('message', (topic, payload, { qos }) => onMessage({ topic, payload: payloadText(payload, 'text'), qos }))
  const end = async () => void (await client.endAsync(true))
  try {
    await client.subscribeAsync(filter, { qos: 1 })
    return end
  } catch (error) {
    await end()
    throw error
  }
}

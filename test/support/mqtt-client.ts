/** Real MQTT clients against a local broker. */
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'

export interface Received {
  readonly topic: string
  readonly text: string
  readonly packet: IPublishPacket
}

/** A connected client that notes what it gets. */
export interface TestClient {
  readonly client: MqttClient
  readonly received: Received[]
  readonly sessionPresent: boolean
}

const open = new Set<MqttClient>()

export async function connect(url: string, clientId: string, options: IClientOptions = {}): Promise<TestClient> {
  const client = mqtt.connect(url, { clientId, reconnectPeriod: 0, connectTimeout: 3000, ...options })
  open.add(client)
  const received: Received[] = []
  client.on('message', (topic, payload, packet) => received.push({ topic, text: payload.toString(), packet }))
  client.on('error', () => undefined)
  client.setMaxListeners(0)
  const sessionPresent = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', (connack) => resolve(connack.sessionPresent))
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed before CONNACK')))
  })
  return { client, received, sessionPresent }
}

/** Ends what the tests left open. */
export async function endClients(): Promise<void> {
  await Promise.all([...open].map((client) => client.endAsync(true)))
  open.clear()
}

export const closed = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()))

/** Waits until the condition holds; throws after 5 s saying what was awaited. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await pause(5)
  }
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What the demo plays with: real MQTT clients, the tables, and a record of what held. */
import { type AttributeValue, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import mqtt, { type IClientPublishOptions, type IPublishPacket, type MqttClient } from 'mqtt'

type Row = Record<string, AttributeValue>
interface Received extends IPublishPacket {
  readonly payload: Buffer
}

const PATIENCE_MS = 15_000

export class DemoStage {
  held = 0
  checked = 0
  readonly #stack: { readonly mqttUrl: string; readonly dynamodbUrl: string }
  readonly #database: DynamoDBClient
  readonly #received = new Map<string, Received[]>()
  readonly #clients: MqttClient[] = []
  #publisher: MqttClient | undefined

  constructor(stack: { readonly mqttUrl: string; readonly dynamodbUrl: string }) {
    this.#stack = stack
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
    this.#database = new DynamoDBClient({ endpoint: stack.dynamodbUrl, region: 'us-west-2', credentials })
  }

  title(text: string): void {
    process.stdout.write(`\n== ${text}\n`)
  }

  check(what: string, holds: boolean): void {
    this.checked++
    if (holds) this.held++
    process.stdout.write(`${holds ? 'ok' : 'FAILED'}: ${what}\n`)
  }

  async connect(clientId: string): Promise<MqttClient> {
    const client = await mqtt.connectAsync(this.#stack.mqttUrl, { clientId, protocolVersion: 5, reconnectPeriod: 0 })
    const received: Received[] = []
    this.#received.set(clientId, received)
    client.on('message', (_, __, packet) => received.push(packet as Received))
    this.#clients.push(client)
    process.stdout.write(`${clientId} connects\n`)
    return client
  }

  received(clientId: string): readonly Received[] {
    return this.#received.get(clientId) ?? []
  }

  /** Through a client of its own, which is in no table but as a sender: its presence would be a row too many. */
  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    this.#publisher ??= await mqtt.connectAsync(this.#stack.mqttUrl, { clientId: 'mqttjs_231b962d5c', reconnectPeriod: 0 })
    await this.#publisher.publishAsync(topic, payload, { qos: 1, ...options })
    process.stdout.write(
      `publish ${topic}: ${payload.length === 0 ? 'empty payload' : typeof payload === 'string' ? payload : payload.toString('hex')}\n`,
    )
  }

  async rows(table: string): Promise<Row[]> {
    return (await this.#database.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? []
  }

  /** Clients that are live on the topic. */
  async live(topic: string): Promise<string[]> {
    const row = (await this.rows('mqtt_topic_msg_map')).find((item) => item.topic?.S === topic)
    return Object.keys(row?.live?.M ?? {})
  }

  async put(table: string, Item: Row): Promise<void> {
    await this.#database.send(new PutItemCommand({ TableName: table, Item }))
  }

  /** As `aws dynamodb scan` prints it on the page. */
  async show(table: string, topic?: string): Promise<void> {
    const items = (await this.rows(table)).filter((item) => topic === undefined || item.topic?.S === topic)
    const readable = items.map((item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, inBase64(value)])))
    const answer = { Items: readable, Count: items.length, ScannedCount: items.length, ConsumedCapacity: null }
    process.stdout.write(`aws dynamodb scan --table-name ${table} --region us-west-2 --endpoint-url ${this.#stack.dynamodbUrl}\n`)
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
  }

  /** Whether the condition came to hold. */
  async eventually(what: string, condition: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await condition())) {
      if (Date.now() > deadline) {
        process.stdout.write(`not within ${PATIENCE_MS / 1000} s: ${what}\n`)
        return false
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return true
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients, ...(this.#publisher ? [this.#publisher] : [])].map((client) => client.endAsync(true)))
    this.#database.destroy()
  }
}

const inBase64 = (value: AttributeValue): unknown => (value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') })

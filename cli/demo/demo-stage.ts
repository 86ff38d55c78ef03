/** What the steps of demo and smoke use: MQTT clients, the tables, and a count of the checks that held. */
import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { IClientOptions, IClientPublishOptions, IPublishPacket, MqttClient } from 'mqtt'
import type { TableName } from '../../lambda/core/tables.ts'

export type Row = Record<string, AttributeValue>
export interface Received extends IPublishPacket {
  readonly payload: Buffer
}

/** The stack on which the steps run: the local one, or one on AWS. */
export interface Ground {
  readonly database: DynamoDBClient
  /** Milliseconds that a step waits for what must come. */
  readonly patienceMs: number
  /** The name that a client or a topic of EMQX's page has on this stack. */
  clientName(name: string): string
  topicName(name: string): string
  tableName(table: TableName): string
  connect(clientId: string, options: IClientOptions): Promise<MqttClient>
  /** The table's rows of these clients and topics. */
  rows(table: TableName): Promise<Row[]>
  /** What to print above the rows: the command that shows them. */
  command(table: TableName): string
}

export class Stage {
  held = 0
  checked = 0
  readonly ground: Ground
  readonly #say: (text: string) => void
  readonly #received = new Map<string, Received[]>()
  readonly #clients: MqttClient[] = []
  #publisher: MqttClient | undefined

  /** @param say prints whole lines */
  constructor(ground: Ground, say: (text: string) => void) {
    this.ground = ground
    this.#say = say
  }

  title(text: string): void {
    this.#say(`\n== ${text}\n`)
  }

  say(line: string): void {
    this.#say(`${line}\n`)
  }

  check(what: string, holds: boolean): void {
    this.checked++
    if (holds) this.held++
    this.#say(`${holds ? 'ok' : 'FAILED'}: ${what}\n`)
  }

  async connect(name: string, options: IClientOptions = {}): Promise<MqttClient> {
    const client = await this.ground.connect(this.ground.clientName(name), { protocolVersion: 5, reconnectPeriod: 0, ...options })
    const received = this.#received.get(name) ?? []
    this.#received.set(name, received)
    client.on('message', (_, __, packet) => received.push(packet as Received))
    this.#clients.push(client)
    this.#say(`${this.ground.clientName(name)} connects\n`)
    return client
  }

  received(name: string): readonly Received[] {
    return this.#received.get(name) ?? []
  }

  /** Publishes by one client of its own. It connects after the step that shows mqtt_client, so that step's rows are those of the page. */
  async publish(name: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    const topic = this.ground.topicName(name)
    this.#publisher ??= await this.ground.connect(this.ground.clientName('mqttjs_231b962d5c'), { reconnectPeriod: 0 })
    await this.#publisher.publishAsync(topic, payload, { qos: 1, ...options })
    this.#say(
      `publish ${topic}: ${payload.length === 0 ? 'empty payload' : typeof payload === 'string' ? payload : payload.toString('hex')}\n`,
    )
  }

  rows = (table: TableName): Promise<Row[]> => this.ground.rows(table)

  async presence(name: string): Promise<string | undefined> {
    return (await this.rows('mqtt_client')).find(({ clientid }) => clientid?.S === this.ground.clientName(name))?.connect_state?.N
  }

  /** Whether the client is a subscriber in the topic's row. */
  async isSubscriber(client: string, topic: string): Promise<boolean> {
    const row = (await this.rows('mqtt_topic_msg_map')).find((item) => item.topic?.S === this.ground.topicName(topic))
    return this.ground.clientName(client) in (row?.live?.M ?? {})
  }

  async put(table: TableName, Item: Row): Promise<void> {
    await this.ground.database.send(new PutItemCommand({ TableName: this.ground.tableName(table), Item }))
  }

  /** Prints rows as EMQX's page does, which uses `aws dynamodb scan`. */
  async show(table: TableName, topic?: string): Promise<void> {
    const items = (await this.rows(table)).filter((item) => topic === undefined || item.topic?.S === this.ground.topicName(topic))
    const readable = items.map((item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, inBase64(value)])))
    const answer = { Items: readable, Count: items.length, ScannedCount: items.length, ConsumedCapacity: null }
    this.#say(`${this.ground.command(table)}\n${JSON.stringify(answer, null, 2)}\n`)
  }

  /** Waits for the condition. @returns whether it came true in time */
  async eventually(what: string, condition: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + this.ground.patienceMs
    while (!(await condition())) {
      if (Date.now() > deadline) {
        this.#say(`not within ${this.ground.patienceMs / 1000} s: ${what}\n`)
        return false
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return true
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients, ...(this.#publisher ? [this.#publisher] : [])].map((client) => client.endAsync(true)))
  }
}

const inBase64 = (value: AttributeValue): unknown => (value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') })

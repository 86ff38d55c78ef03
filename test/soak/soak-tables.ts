/** The rows, read as an operator would. */
import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import { numberOf } from './receipts.ts'

export interface StoredMessage {
  readonly msgid: string
  readonly topic: string
  /** Undefined for a payload that is none of ours: an empty one. */
  readonly number: number | undefined
}

export interface NamedMessage {
  readonly msgid: string
  /** Which row and attribute. */
  readonly place: string
}

export interface AckedRow {
  readonly topic: string
  readonly clientid: string
  /** Absent: the row is a read position, and nothing was acknowledged yet. */
  readonly msgid: string | undefined
}

type Row = Record<string, AttributeValue>

export class Tables {
  readonly #client: DynamoDBClient

  constructor(endpoint: string) {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
    this.#client = new DynamoDBClient({ endpoint, region: 'us-west-2', credentials, maxAttempts: 20 })
  }

  close(): void {
    this.#client.destroy()
  }

  async subscribe(clientid: string, topic: string): Promise<void> {
    const Item = { clientid: { S: clientid }, topic: { S: topic }, qos: { N: '1' } }
    await this.#client.send(new PutItemCommand({ TableName: 'mqtt_sub', Item }))
  }

  async stored(): Promise<StoredMessage[]> {
    const rows = await this.#rows('mqtt_msg')
    return rows.map((row) => ({ msgid: row.msgid!.S!, topic: row.topic!.S!, number: numberOf(row.payload?.S ?? '') }))
  }

  async named(): Promise<NamedMessage[]> {
    const rows = await this.#rows('mqtt_topic_msg_map')
    return rows.flatMap((row) => {
      const place = row.topic!.S!.replace('\u0000', ' segment ')
      const head = (row.MsgId?.SS ?? []).map((msgid) => ({ msgid, place }))
      return [...head, ...(row.sealing?.SS ?? []).map((msgid) => ({ msgid, place: `${place} sealing` }))]
    })
  }

  async acked(): Promise<AckedRow[]> {
    return (await this.#rows('mqtt_acked')).map((row) => ({ topic: row.topic!.S!, clientid: row.clientid!.S!, msgid: row.msgid?.S }))
  }

  /** Client id -> whether it is shown as connected. */
  async presence(): Promise<Map<string, boolean>> {
    return new Map((await this.#rows('mqtt_client')).map((row) => [row.clientid!.S!, row.connect_state?.N === '1']))
  }

  /** Topic -> number of its retained message. */
  async retained(): Promise<Map<string, number | undefined>> {
    return new Map((await this.#rows('mqtt_retain')).map((row) => [row.topic!.S!, numberOf(row.payload?.S ?? '')]))
  }

  async #rows(TableName: string): Promise<Row[]> {
    const rows: Row[] = []
    for await (const page of paginateScan({ client: this.#client }, { TableName, ConsistentRead: true })) rows.push(...(page.Items ?? []))
    return rows
  }
}

/** A deployed stack that others use too. Each run has names of its own, and reads rows by their keys, never by a scan. */
import { readFileSync } from 'node:fs'
import { type AttributeValue, BatchGetItemCommand, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { BackendError } from '../../lambda/core/errors.ts'
import { TABLES, type TableDefinition, type TableName } from '../../lambda/core/tables.ts'
import { SMOKE_CLIENTS, SMOKE_TOPICS } from '../../lib/probe-rules.ts'
import { localCredentials } from '../dead-letters/sqs-client.ts'
import type { Ground, Row } from '../demo/demo-stage.ts'
import { type PlacedCommand, signedWith } from './places.ts'

const CONNECT_TIMEOUT_MS = 10_000
const KEYS_A_BATCH = 100
/** IoT Core closes a connection that is not allowed and gives no reason. */
const RIGHT = 'does the policy of the credentials or the certificate allow iot:Connect on client/smoke-*?'

export class SmokeGround implements Ground {
  readonly database: DynamoDBClient
  readonly patienceMs: number
  /** The names that this run has used so far, as IoT Core knows them. */
  readonly clients = new Set<string>()
  readonly topics = new Set<string>()
  readonly #command: PlacedCommand
  readonly #run: string
  readonly #topicPrefix: string
  readonly #tls: IClientOptions

  /** @param run letters and digits */
  constructor(command: PlacedCommand, run: string) {
    this.#command = command
    this.#run = run
    this.#topicPrefix = `${SMOKE_TOPICS}${run}/`
    this.#tls = tlsOf(command)
    this.patienceMs = command.patienceMs
    const { region, dynamodb } = command
    this.database = new DynamoDBClient({
      region,
      ...(dynamodb === undefined ? {} : { endpoint: dynamodb }),
      ...localCredentials(dynamodb),
      requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
    })
  }

  clientName(name: string): string {
    const full = `${SMOKE_CLIENTS}${this.#run}-${name}`
    this.clients.add(full)
    return full
  }

  topicName(name: string): string {
    const full = this.#topicPrefix + name
    if (!/[+#]/.test(name)) this.topics.add(full)
    return full
  }

  /** The reverse of {@link topicName}. */
  nameOf(topic: string): string {
    return topic.slice(this.#topicPrefix.length)
  }

  tableName(table: TableName): string {
    return this.#command.prefix + table
  }

  command(table: TableName): string {
    return `${this.tableName(table)}, rows of this run`
  }

  async connect(clientId: string, options: IClientOptions): Promise<MqttClient> {
    try {
      const signed = await signedWith(this.#command)
      const every = { connectTimeout: CONNECT_TIMEOUT_MS, ...this.#tls, ...signed }
      return await mqtt.connectAsync(this.#command.mqtt, { ...every, ...options, clientId }, false)
    } catch (error) {
      if (error instanceof BackendError) throw error
      const { code, message } = error as NodeJS.ErrnoException
      throw new BackendError('mqtt', `MQTT at ${this.#command.mqtt}: ${clientId} cannot connect (${code ?? message}; ${RIGHT})`)
    }
  }

  async rows(table: TableName): Promise<Row[]> {
    switch (table) {
      case 'mqtt_client':
        return this.get(table, each(this.clients, 'clientid'))
      case 'mqtt_topic_msg_map':
      case 'mqtt_retain':
        return this.get(table, each(this.topics, 'topic'))
      case 'mqtt_sub':
        return (await Promise.all([...this.clients].map((client) => this.#query(table, client)))).flat()
      case 'mqtt_acked':
        return (await Promise.all([...this.topics].map((topic) => this.#query(table, topic)))).flat()
      case 'mqtt_msg': {
        const ids = (await this.rows('mqtt_topic_msg_map')).flatMap(({ MsgId }) => MsgId?.SS ?? [])
        return this.get(table, each(ids, 'msgid'))
      }
    }
  }

  async get(table: TableName, keys: readonly Row[]): Promise<Row[]> {
    const found: Row[] = []
    const name = this.tableName(table)
    for (let from = 0; from < keys.length; from += KEYS_A_BATCH) {
      let wanted: Record<string, { Keys: Row[]; ConsistentRead?: boolean }> = {
        [name]: { Keys: keys.slice(from, from + KEYS_A_BATCH), ConsistentRead: true },
      }
      while (Object.keys(wanted).length > 0) {
        const { Responses, UnprocessedKeys } = await this.database.send(new BatchGetItemCommand({ RequestItems: wanted }))
        found.push(...(Responses?.[name] ?? []))
        wanted = (UnprocessedKeys ?? {}) as typeof wanted
      }
    }
    return found
  }

  async #query(table: TableName, hash: string): Promise<Row[]> {
    const { hashKey }: TableDefinition = TABLES[table]
    const answer = await this.database.send(
      new QueryCommand({
        TableName: this.tableName(table),
        KeyConditionExpression: '#hash = :hash',
        ExpressionAttributeNames: { '#hash': hashKey },
        ExpressionAttributeValues: { ':hash': { S: hash } },
        ConsistentRead: true,
      }),
    )
    return answer.Items ?? []
  }
}

const each = (values: Iterable<string>, key: string): Record<string, AttributeValue>[] => [...values].map((S) => ({ [key]: { S } }))

function tlsOf({ certificate, ca }: PlacedCommand): IClientOptions {
  return {
    ...(certificate === undefined ? {} : { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
  }
}

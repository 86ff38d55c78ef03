/** The six tables of EMQX's page: names, key schema and attribute types exactly as there. */
export interface TableDefinition {
  readonly hashKey: string
  readonly rangeKey?: string
  /** Attribute that holds an expiry in epoch seconds (DynamoDB TTL), where rows can expire. */
  readonly ttl?: string
}

/** Keys of the tables; all are strings. `ttl`: the attribute by which DynamoDB deletes what has expired. */
export const TABLES = {
  mqtt_client: { hashKey: 'clientid' },
  mqtt_sub: { hashKey: 'clientid', rangeKey: 'topic' },
  mqtt_msg: { hashKey: 'msgid', ttl: 'expires_at' },
  mqtt_topic_msg_map: { hashKey: 'topic', ttl: 'expires_at' },
  mqtt_retain: { hashKey: 'topic' },
  mqtt_acked: { hashKey: 'topic', rangeKey: 'clientid' },
} as const satisfies Record<string, TableDefinition>

/** Names on EMQX's page, without a prefix. */
export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as TableName[]

/** Environment variable that tells a handler a table's real name: `mqtt_msg` -> `MQTT_MSG_TABLE`. */
export const tableVariable = (table: TableName): string => `${table.toUpperCase()}_TABLE`

/** The optional index of `mqtt_retain`: first topic level and topic, keys only; for wildcard lookups. */
export const RETAIN_INDEX = { name: 'root-topic-index', hashKey: 'root', rangeKey: 'topic' } as const
/** Environment variable set to the index's name where there is one. */
export const RETAIN_INDEX_VARIABLE = 'RETAIN_INDEX'
/** Environment variable with the URL of the queue of the function that delivers, for a function that requests deliveries. */
export const DELIVERY_QUEUE_VARIABLE = 'DELIVERY_QUEUE_URL'
/** Environment variable with the host name (or URL) of the IoT data plane. */
export const DATA_ENDPOINT_VARIABLE = 'IOT_DATA_ENDPOINT'

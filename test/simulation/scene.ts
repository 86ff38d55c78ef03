/** What the checks ask. */
import type { Cast } from './casts.ts'
import type { MapDynamoDb } from './dynamodb.ts'
import type { IotCore } from './iot-core.ts'
import type { Operator } from './operator.ts'
import type { Queues } from './queues.ts'
import type { Evidence } from './witness.ts'

export interface Scene {
  readonly cast: Cast
  readonly queues: Queues
  readonly iotCore: IotCore
  readonly evidence: Evidence
  readonly dynamodb: MapDynamoDb
  readonly operator: Operator
}

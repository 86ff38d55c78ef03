/** AWS's default quotas, each with its page: a second, an account and a region unless it says otherwise. Some regions have less. */
export interface Quota {
  readonly value: number
  /** Whether AWS raises it on request. */
  readonly adjustable: boolean
  readonly page: string
}

const IOT = 'https://docs.aws.amazon.com/general/latest/gr/iot-core.html'
const LAMBDA_SQS = 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html'
const DYNAMODB = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide'

export const QUOTAS = {
  inboundPublishes: { value: 20_000, adjustable: true, page: IOT },
  /** A publish counts once for each subscriber and once for each rule that it matches. */
  outboundPublishes: { value: 20_000, adjustable: true, page: IOT },
  ruleEvaluations: { value: 20_000, adjustable: true, page: IOT },
  retainedReads: { value: 500, adjustable: true, page: IOT },
  directMessages: { value: 20_000, adjustable: true, page: IOT },
  publishesOfConnection: { value: 100, adjustable: false, page: IOT },
  /** At a time. */
  connections: { value: 500_000, adjustable: true, page: IOT },
  connects: { value: 500, adjustable: true, page: IOT },
  /** At a time, all functions together. */
  concurrency: { value: 1_000, adjustable: true, page: 'https://docs.aws.amazon.com/lambda/latest/operatorguide/scaling-concurrency.html' },
  /** Invocations at a time for a standard queue: the most, and those at the beginning. */
  queueConcurrency: { value: 1_250, adjustable: false, page: LAMBDA_SQS },
  queueConcurrencyAtFirst: { value: 5, adjustable: false, page: LAMBDA_SQS },
  /** Per minute. */
  queueConcurrencyGrowth: { value: 300, adjustable: false, page: LAMBDA_SQS },
  /** Write and read units of a partition, and therefore of a key. */
  partitionWrites: { value: 1_000, adjustable: false, page: `${DYNAMODB}/bp-partition-key-design.html` },
  partitionReads: { value: 3_000, adjustable: false, page: `${DYNAMODB}/bp-partition-key-design.html` },
  /** Write units of a new on-demand table. Later it takes twice its peak of the last half hour. */
  newTableWrites: { value: 4_000, adjustable: true, page: `${DYNAMODB}/on-demand-capacity-mode.html` },
  tableWrites: { value: 40_000, adjustable: true, page: `${DYNAMODB}/on-demand-capacity-mode.html` },
} as const satisfies Record<string, Quota>

/** Seconds after which an on-demand table takes twice its earlier peak. */
export const DOUBLING_SECONDS = 30 * 60

/** List prices in US dollars. Taxes, free tiers, savings plans and volume tiers beyond the first are left out. */
export const REGION = 'us-east-1'
/** When they were last compared with their pages. */
export const AS_OF = '2026-11'

const MILLION = 1e6

export const PRICES = {
  /** AWS IoT Core pricing, "Connectivity": a minute of a connection. */
  connectionMinute: 0.08 / MILLION,
  /** AWS IoT Core pricing, "Messaging": one of up to 5 KB, first 1,000 million. */
  iotMessage: 1 / MILLION,
  /** AWS IoT Core pricing, "Rules Engine": a rule triggered, an action applied, each by 5 KB of the message. */
  ruleTriggered: 0.15 / MILLION,
  ruleAction: 0.15 / MILLION,
  /** Amazon SQS pricing, standard queues: a request of up to 64 KB. */
  sqsRequest: 0.4 / MILLION,
  /** AWS Lambda pricing, arm64. */
  lambdaRequest: 0.2 / MILLION,
  lambdaGigabyteSecond: 0.0000133334,
  /** Amazon DynamoDB pricing, on demand, standard table class. */
  writeUnit: 0.625 / MILLION,
  readUnit: 0.125 / MILLION,
  storageGigabyteMonth: 0.25,
  /** Amazon CloudWatch pricing: an alarm's metric, a dashboard, a custom metric (first 10,000), a GB of logs collected. */
  alarmMetric: 0.1,
  dashboard: 3,
  customMetric: 0.3,
  logGigabyte: 0.5,
} as const

/** Bytes by which each meter counts. */
export const METERED = { iot: 5 * 1024, sqs: 64 * 1024, write: 1024, read: 4 * 1024 } as const

export const parts = (bytes: number, metered: number): number => Math.max(1, Math.ceil(bytes / metered))

/**
 * EMQX Dedicated: clusters that EMQX manages. Only they have a list price.
 * Source: docs.emqx.com/en/cloud/latest/price/pricing.html, "Tier-Based Fee for Hourly Billing Method", in emqx/cloud-docs at 011d917,
 * read 2026-11. It may differ by cloud and region.
 */
export const EMQX_DEDICATED = {
  /** The most sessions, the most messages a second (in and out), dollars an hour. Above the last tier EMQX makes an offer. */
  tiers: [
    { sessions: 1_000, perSecond: 1_000, hour: 0.36 },
    { sessions: 2_000, perSecond: 2_000, hour: 0.5 },
    { sessions: 5_000, perSecond: 10_000, hour: 0.99 },
    { sessions: 10_000, perSecond: 20_000, hour: 1.49 },
  ],
  /** GB to devices that are free in a month, and the price of each further GB. */
  freeGigabytes: 100,
  gigabyte: 0.15,
} as const

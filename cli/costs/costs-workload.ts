/** What a fleet does in a month. */

import { ROW_BYTES } from './measured-units.ts'
import { METERED, parts } from './prices.ts'

export const RETAIN_CHECKS = ['native', 'property', 'topic'] as const
export const LOG_LEVELS = ['info', 'warn'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type RetainCheck = (typeof RETAIN_CHECKS)[number]

export interface Workload {
  readonly publishes: number
  /** Bytes. */
  readonly payload: number
  /** Bytes of a topic name, and of a client id. */
  readonly topic: number
  readonly client: number
  /** 0 to 1: the part of the publishes whose subscriber is offline, and the part of the month that a client is offline. */
  readonly offline: number
  /** Native subscribers of a topic. */
  readonly subscribers: number
  /** 0 to 1: the part of the publishes whose one subscriber is durable, or an operator's row. The others are delivered by IoT Core. */
  readonly durable: number
  readonly operator: number
  readonly clients: number
  /** Connections of a client in the month, each with one SUBSCRIBE. */
  readonly connects: number
  /** 0 to 1: the part of the publishes that have the RETAIN flag. */
  readonly retained: number
  readonly retain: RetainCheck
  /** Messages that are queued on a topic when one is published or acknowledged. */
  readonly depth: number
  /** Events that a Lambda invocation handles. */
  readonly batch: number
  /** Time that a Lambda function takes for an event, and for a delivery. */
  readonly milliseconds: number
  readonly memoryMegabytes: number
  /** GB kept in the tables. */
  readonly storage: number
  /** Of the functions: `warn` logs failures only. */
  readonly logLevel: LogLevel
  readonly emqx?: { readonly nodes: number; readonly nodeMonthly: number }
}

/** A fleet of which only the number of publishes is known. */
export const DEFAULTS = {
  payload: 100,
  topic: 32,
  client: 20,
  offline: 0,
  subscribers: 1,
  durable: 0,
  operator: 0,
  clients: 0,
  connects: 30,
  retained: 0,
  retain: 'native',
  depth: 1000,
  batch: 1,
  milliseconds: 100,
  memoryMegabytes: 512,
  storage: 0,
  logLevel: 'info',
} satisfies Omit<Workload, 'publishes'>

export const MONTH_MINUTES = 43_800

type Sizes = Pick<Workload, 'payload' | 'topic' | 'client'>
/** Bytes of a message's row. */
export const rowBytes = ({ payload, topic, client }: Sizes): number => ROW_BYTES + payload + topic + client
/** Write units of putting or deleting it. */
export const rowWrites = (sizes: Sizes): number => parts(rowBytes(sizes), METERED.write)
/** IoT Core bills a publish as so many messages of 5 KB. */
export const iotParts = ({ payload, topic }: Workload): number => parts(payload + topic, METERED.iot)
/** Publishes that this backend delivers as they come: each requests its delivery. */
export const pushed = ({ publishes, offline, durable, operator }: Workload): number => publishes * (1 - offline) * (durable + operator)
/** The same fleet where IoT Core delivers everything. */
export const natively = (workload: Workload): Workload => ({ ...workload, durable: 0, operator: 0 })
export const connections = ({ clients, connects }: Workload): number => clients * connects

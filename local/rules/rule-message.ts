/** A publish or lifecycle event as IoT Core shows it to rules: no QoS, no RETAIN. */
export interface RuleMessage {
  readonly topic: string
  /** Absent for HTTP publishes: `clientid()` is then 'n/a'. */
  readonly clientid?: string
  readonly payload: Buffer
  /** Milliseconds since the epoch, `timestamp()`. */
  readonly at: number
  /** Absent for HTTP publishes: `traceid()` is then undefined. */
  readonly traceid?: string
  /** `newuuid()` */
  readonly uuid: string
  readonly userProperties?: readonly (readonly [key: string, value: string])[]
  readonly contentType?: string
  /** `UTF8_DATA` or `UNSPECIFIED_BYTES` */
  readonly formatIndicator?: string
  readonly responseTopic?: string
  readonly correlationData?: Buffer
}

/** The backend that the console looks at: a run on this machine. */
import { type OpenTables, tablesOf } from '../operate/operator-tables.ts'

export interface PlaceUrls {
  /** Of the data plane, which is SQS and `/local` as well. */
  readonly dataUrl: string
  readonly dynamodbUrl: string
  readonly mqttUrl: string
  /** The conf that somebody says it has: to be compared with what the run tells. */
  readonly conf?: string
}

export interface Place extends PlaceUrls, OpenTables {}

export const placeAt = (urls: PlaceUrls): Place => ({
  ...urls,
  ...tablesOf({ dynamodb: urls.dynamodbUrl, endpoint: urls.dataUrl }),
})

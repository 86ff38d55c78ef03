/** The backend that the console looks at: a run on this machine. */
import { join } from 'node:path'
import { DEFAULT_CONF } from '../../lib/conf/conf-file.ts'
import { type OpenTables, tablesOf } from '../operate/operator-tables.ts'

export interface PlaceUrls {
  /** Of the data plane, which is SQS and `/local` as well. */
  readonly dataUrl: string
  readonly dynamodbUrl: string
  readonly mqttUrl: string
  /** The conf that it runs with; default the app's own. */
  readonly conf?: string
}

export interface Place extends Required<PlaceUrls>, OpenTables {}

export const OUR_CONF = join(import.meta.dirname, '..', '..', DEFAULT_CONF)

export const placeAt = (urls: PlaceUrls): Place => ({
  conf: OUR_CONF,
  ...urls,
  ...tablesOf({ dynamodb: urls.dynamodbUrl, endpoint: urls.dataUrl }),
})

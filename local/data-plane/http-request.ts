/** An HTTP request to the data plane. The path is split first and decoded after, because the SDK percent-encodes slashes. */
import type { IncomingMessage } from 'node:http'
import { stringFault } from '../../lambda/core/topic.ts'
import { MAX_PAYLOAD_BYTES } from '../mqtt/iot-limits.ts'
import type { MqttProperties } from '../mqtt/mqtt-message.ts'
import { DataPlaneError } from './data-plane-error.ts'

export interface HttpRequest {
  readonly method: string
  /** Decoded segments of the path. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** @throws DataPlaneError */
export async function readRequest(message: IncomingMessage): Promise<HttpRequest> {
  const [path = '', query = ''] = (message.url ?? '/').split('?', 2)
  const body = await readBody(message, MAX_PAYLOAD_BYTES)
  try {
    const segments = path.split('/').slice(1).map(decodeURIComponent)
    return { method: message.method ?? 'GET', path: segments, query: new URLSearchParams(query), headers: message.headers, body }
  } catch {
    throw new DataPlaneError('InvalidRequestException', `the path ${path} is not percent-encoded UTF-8`)
  }
}

/** @throws DataPlaneError for more than `most` bytes. The whole body is read all the same: else the client may not read the answer */
export async function readBody(message: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of message) {
      bytes += (chunk as Buffer).length
      if (bytes <= most) chunks.push(chunk as Buffer)
    }
  } catch {
    throw new DataPlaneError('InvalidRequestException', `the caller went away after ${bytes} bytes of the body`)
  }
  if (bytes > most) throw new DataPlaneError('RequestEntityTooLargeException', `a payload of ${bytes} bytes, wanted at most ${most}`)
  return Buffer.concat(chunks)
}

export function flag({ query }: HttpRequest, name: string): boolean {
  const value = query.get(name) ?? 'false'
  if (value !== 'true' && value !== 'false')
    throw new DataPlaneError('InvalidRequestException', `${name} is ${value}, wanted true or false`)
  return value === 'true'
}

export function integer(
  { query }: HttpRequest,
  name: string,
  { least, most, otherwise }: { least: number; most: number; otherwise: number },
) {
  const text = query.get(name)
  const value = text === null ? otherwise : Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new DataPlaneError('InvalidRequestException', `${name} is ${text}, wanted a whole number from ${least} to ${most}`)
}

/** MQTT 5 properties of a Publish or SendDirectMessage: two in the query, three as headers. */
export function mqttProperties({ query, headers }: HttpRequest): MqttProperties {
  const contentType = query.get('contentType')
  const responseTopic = query.get('responseTopic')
  const format = headers['x-amz-mqtt5-payload-format-indicator']
  const correlation = headers['x-amz-mqtt5-correlation-data']
  const user = headers['x-amz-mqtt5-user-properties']
  if (format !== undefined && format !== 'UTF8_DATA' && format !== 'UNSPECIFIED_BYTES')
    throw new DataPlaneError('InvalidRequestException', 'payloadFormatIndicator is something else, wanted UTF8_DATA or UNSPECIFIED_BYTES')
  checkText('contentType', contentType)
  checkText('responseTopic', responseTopic)
  return {
    ...(contentType === null ? {} : { contentType }),
    ...(responseTopic === null ? {} : { responseTopic }),
    ...(format === undefined ? {} : { utf8: format === 'UTF8_DATA' }),
    ...(correlation === undefined ? {} : { correlationData: Buffer.from(String(correlation), 'base64') }),
    ...(user === undefined ? {} : { user: userProperties(String(user)) }),
  }
}

/** The error says what is wrong with a property, not its text (I10). */
function checkText(name: string, text: string | null): void {
  const fault = text === null ? undefined : stringFault(text)
  if (fault) throw new DataPlaneError('InvalidRequestException', `${name} is no MQTT string: ${fault}`)
}

/** Base64 of a JSON array of one-key objects. */
function userProperties(header: string): [string, string][] {
  const refusal = new DataPlaneError(
    'InvalidRequestException',
    'userProperties is not base64 of a JSON array of objects with one string each',
  )
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
  } catch {
    throw refusal
  }
  if (!Array.isArray(parsed)) throw refusal
  return parsed.map((one: unknown) => {
    const [entry, ...more] = typeof one === 'object' && one !== null ? Object.entries(one) : []
    if (!entry || more.length > 0 || typeof entry[1] !== 'string') throw refusal
    for (const text of entry) checkText('userProperties', text)
    return [entry[0], entry[1]]
  })
}

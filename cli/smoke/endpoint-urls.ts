/** Flags that say where a service is: URLs without a path, except for a WebSocket. */
import { type Reader, reader } from '../command-line/values.ts'

const HTTP = ['http:', 'https:']
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/

export const plainHttpUrl: Reader<string> = reader('a URL of http:// or https:// without a path', (got) => plainUrl(got, HTTP))

/** A host name alone means HTTPS. */
export const dataUrl: Reader<string> = reader('a host name or an http(s) URL without a path', (got) =>
  HOST.test(got) ? `https://${got}` : plainUrl(got, HTTP),
)

/** IoT Core's WebSocket has the path `/mqtt`. */
export const mqttUrl: Reader<string> = reader('a URL of mqtt:// or mqtts:// without a path, or of ws:// or wss:// with /mqtt', (got) => {
  if (!/^wss?:/.test(got)) return plainUrl(got, ['mqtt:', 'mqtts:'])
  const url = plainUrl(got.replace(/\/mqtt$/, ''), ['ws:', 'wss:'])
  return url && `${url}/mqtt`
})

function plainUrl(got: string, protocols: readonly string[]): string | undefined {
  const url = URL.canParse(got) ? new URL(got) : undefined
  const isPlain = url !== undefined && url.hostname !== '' && /^\/?$/.test(url.pathname) && url.search === '' && url.username === ''
  return isPlain && protocols.includes(url.protocol) ? got.replace(/\/$/, '') : undefined
}

/** Of a local run that moved no port. */
export const LOCAL_DATA_PLANE = 'http://localhost:8443'

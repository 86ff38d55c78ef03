/** HTTP requests between our own processes. `fetch` would send them to a proxy that the environment names (NODE_USE_ENV_PROXY). */
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { text } from 'node:stream/consumers'

export interface OwnAnswer {
  readonly status: number
  readonly text: string
}

/** A POST, on a connection of its own: `agent: false` knows no proxy. @throws the system's error, `ECONNREFUSED` */
export function ownPost(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs = 30_000): Promise<OwnAnswer> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? overHttps : overHttp
    const sent = request(url, { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      text(response).then((said) => resolve({ status: response.statusCode!, text: said }), reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

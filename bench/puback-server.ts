/** The IoT data plane as the handlers' SDK calls it, with devices whose PUBACKs take as long as one likes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Delivered {
  readonly clientid: string
  readonly topic: string
  readonly payload: string
  /** Milliseconds since the epoch, with fractions: when the request came. */
  readonly at: number
}

export interface PubackServer {
  readonly url: string
  /** Milliseconds from a direct message to its PUBACK. */
  puback: number
  /** In the order in which they came, since the last call or the start. */
  delivered(): Delivered[]
  close(): Promise<void>
}

/** Every client is connected, nothing is retained. On a free port of this machine. */
export async function startPubackServer(): Promise<PubackServer> {
  let delivered: Delivered[] = []
  const devices = { puback: 0 }
  const server = createServer({ keepAliveTimeout: 65_000 }, (message, response) => {
    const at = performance.timeOrigin + performance.now()
    const url = new URL(message.url!, 'http://127.0.0.1')
    const [what, id = '', more] = url.pathname.split('/').slice(1).map(decodeURIComponent)
    bodyOf(message).then((body) => {
      if (what === 'connections' && more === 'messages') {
        delivered.push({ clientid: id, topic: `${url.searchParams.get('topic')}`, payload: body.toString(), at })
        later(devices.puback, () => reply(response, 200, { message: 'OK' }))
      } else if (what === 'connections') reply(response, 200, { clientId: id, connected: true, connectedSince: 0, keepAliveDuration: 60 })
      else reply(response, 404, { message: 'nothing there' }, 'ResourceNotFoundException')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(devices, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delivered() {
      const all = delivered
      delivered = []
      return all
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  })
}

const later = (ms: number, run: () => void): void => void (ms > 0 ? setTimeout(run, ms) : run())

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function reply(response: ServerResponse, status: number, body: object, errorType?: string): void {
  const headers = { 'content-type': 'application/json', ...(errorType === undefined ? {} : { 'x-amzn-errortype': errorType }) }
  response.writeHead(status, headers)
  response.end(JSON.stringify(body))
}

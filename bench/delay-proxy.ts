/**
 * A small HTTP proxy that adds a delay to every request, the same however many are in flight, and counts what passes. In front of
 * the embedded DynamoDB it makes a round trip cost what it costs on a network.
 */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What passed since the last look. */
export interface Traffic {
  readonly requests: number
  /** How many were on their way at once, at most. */
  readonly parallel: number
  /** By what `named` makes of them. */
  readonly byName: Readonly<Record<string, number>>
}

export interface DelayProxy {
  /** `http://host:port` */
  readonly url: string
  /** Milliseconds, for requests that arrive from now on. */
  delay: number
  /** What passed since the last call, or the start. */
  traffic(): Traffic
  close(): Promise<void>
}

/** As DynamoDB calls a request: `PutItem`. */
const operationOf = ({ headers }: IncomingMessage): string => `${headers['x-amz-target'] ?? ''}`.split('.')[1] ?? 'unknown'

/** On a free port of this machine. `target`: `http://host:port`. */
export async function startDelayProxy(target: string, named: (message: IncomingMessage) => string = operationOf): Promise<DelayProxy> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  let inFlight = 0
  let count: { requests: number; parallel: number; byName: Record<string, number> } = { requests: 0, parallel: 0, byName: {} }
  const proxy = { delay: 0 }
  const server = createServer({ keepAliveTimeout: 65_000 }, (message, response) => {
    inFlight++
    response.once('close', () => inFlight--)
    const name = named(message)
    count.requests++
    count.parallel = Math.max(count.parallel, inFlight)
    count.byName[name] = (count.byName[name] ?? 0) + 1
    const pass = () => forward(target, agent, message, response)
    // Each waits by a timer of its own: no queue, so nobody waits for a neighbour.
    if (proxy.delay > 0) setTimeout(pass, proxy.delay)
    else pass()
  })
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    traffic() {
      const passed = count
      count = { requests: 0, parallel: inFlight, byName: {} }
      return passed
    },
    close: () => close(server, agent),
  })
}

/** Whatever the target says, also its refusals; 502 where it says nothing. */
function forward(target: string, agent: Agent, message: IncomingMessage, response: ServerResponse): void {
  const onwards = request(`${target}${message.url}`, { agent, method: message.method!, headers: message.headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.rawHeaders)
    answer.pipe(response)
    answer.once('error', () => response.destroy())
  })
  onwards.once('error', () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
  response.once('close', () => response.writableFinished || onwards.destroy())
  message.pipe(onwards)
}

async function close(server: Server, agent: Agent): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
  agent.destroy()
}

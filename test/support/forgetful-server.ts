/** An HTTP server that gives up the connections which its clients keep for later, as AWS's services do with idle ones. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface ForgetfulServer {
  readonly url: string
  /** Connections that are open. */
  readonly open: () => number
  /** Method and path of each request that was answered. */
  readonly answered: readonly string[]
  /** What becomes of each open connection: an end that the client could read, a reset, or nothing until its next request, which is reset. */
  giveUp(how: GivenUp): void
  close(): Promise<void>
}
export type GivenUp = 'ended' | 'reset' | 'reset at its next request'

/** `answer`: the body goes to whoever answers. */
export async function startForgetful(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<ForgetfulServer> {
  const sockets = new Set<Socket>()
  const forgotten = new WeakSet<Socket>()
  const answered: string[] = []
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    if (forgotten.has(request.socket)) return void request.socket.resetAndDestroy()
    answered.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    answered,
    giveUp(how) {
      for (const socket of sockets) {
        if (how === 'ended') socket.end()
        else if (how === 'reset') socket.resetAndDestroy()
        else forgotten.add(socket)
      }
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

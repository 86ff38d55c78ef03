/** A proxy that says of each request that it came over TLS: policies refuse other requests, and the engine has no certificate. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TlsFront {
  readonly url: string
  close(): Promise<void>
}

export async function startTlsFront(port: number): Promise<TlsFront> {
  const server = createServer((asked, response) => {
    const headers = { ...asked.headers, 'x-forwarded-proto': 'https' }
    const passed = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    asked.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

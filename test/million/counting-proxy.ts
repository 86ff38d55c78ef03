/** Stands before DynamoDB and counts what a command asks. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProxy {
  readonly url: string
  /** Operations since the last call, in their order. */
  taken(): string[]
  close(): Promise<void>
}

export async function startCountingProxy(dynamodbUrl: string): Promise<CountingProxy> {
  const operations: string[] = []
  const server = createServer((asked, answer) => {
    operations.push(`${asked.headers['x-amz-target']}`.split('.').at(-1)!)
    const { method, headers } = asked
    const forwarded = request(dynamodbUrl, { method, headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers)
      got.pipe(answer)
    })
    forwarded.on('error', () => answer.destroy())
    asked.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => operations.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

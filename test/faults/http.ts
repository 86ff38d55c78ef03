/** Requests and answers as the SDK's own HTTP handlers take and give them. */

export interface Request {
  readonly method: string
  readonly path: string
  readonly query?: Record<string, string | string[] | null>
  readonly headers: Record<string, string>
  readonly body?: Uint8Array | string
}

export interface Answer {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

export const success = (body: object): Answer => ({ statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(body)) })

/** An error as DynamoDB and the data plane report it: the type in the body and in a header. */
export const failure = (type: string, statusCode: number, more: object = {}): Answer => ({
  statusCode,
  headers: { 'x-amzn-errortype': type },
  body: Buffer.from(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `injected ${type}`, ...more })),
})

/** The body's bytes. The SDK's own are a Uint8Array that warns of whoever takes it for a string, as Buffer.from does. */
export const bytesOf = ({ body = '' }: Pick<Request, 'body'>): Buffer =>
  typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength)

export const jsonOf = (of: Pick<Request, 'body'>): Record<string, unknown> => JSON.parse(bytesOf(of).toString())

/** What a socket says, as the SDK's handler passes it on. */
export const socketError = (code: 'ECONNRESET' | 'ECONNREFUSED'): Error =>
  Object.assign(new Error(`injected ${code}`), { name: 'TimeoutError', code, syscall: code === 'ECONNREFUSED' ? 'connect' : 'read' })

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

export const jsonOf = ({ body }: Pick<Request, 'body'>): Record<string, unknown> => JSON.parse(Buffer.from(body ?? '{}').toString())

/** What a socket says. */
export const socketError = (code: 'ECONNRESET' | 'ECONNREFUSED'): Error => Object.assign(new Error(`injected ${code}`), { code })

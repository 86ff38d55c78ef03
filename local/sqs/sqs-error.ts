/** An error as SQS's JSON protocol reports it: `__type` and a message, status 400. */
export class SqsError extends Error {
  /** As the API reference names it. */
  readonly type: string
  readonly status = 400

  constructor(type: string, message: string) {
    super(message)
    this.name = type
    this.type = type
  }

  get body(): { readonly __type: string; readonly message: string } {
    return { __type: `com.amazonaws.sqs#${this.type}`, message: this.message }
  }
}

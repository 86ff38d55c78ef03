/** A DynamoDB that a test or the local run talks to over HTTP, with the real SDK client. */
export interface DynamoDbEngine {
  /** `embedded`: dynalite's store in Node. `local`: DynamoDB Local. `remote`: somebody else's, never closed by us. */
  readonly name: 'embedded' | 'local' | 'remote'
  /** `http://host:port`, no trailing slash. */
  readonly url: string
  /** Stops what was started, within about a second; a second call does nothing. */
  close(): Promise<void>
}

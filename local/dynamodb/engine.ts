/** A DynamoDB that a test or the local run talks to over HTTP, with the real SDK client. */
export interface DynamoDbEngine {
  /** `embedded`: dynalite's store in Node. `local`: DynamoDB Local. `remote`: one that the user runs and we never close. */
  readonly name: 'embedded' | 'local' | 'remote'
  /** `http://host:port`, no trailing slash. */
  readonly url: string
  /** Stops the engine within about a second. A second call does nothing. */
  close(): Promise<void>
}

/** An operator's row, a user property of ours in a publish, or a durable subscription, that is passed over. */
export interface Ignored {
  readonly code: 'bad-operator-row' | 'bad-property' | 'bad-durable-subscription'
  /** Whose row it is, who published or subscribed. */
  readonly clientid: string
  /** The filter of the row or subscription, or the topic of the publish. */
  readonly topic: string
  /** What was got, and what was wanted. */
  readonly why: string
}

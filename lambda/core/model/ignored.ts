/** An operator's row, a user property of ours in a publish, a durable subscription, or a receipt, that is passed over. */
export interface Ignored {
  readonly code: 'bad-operator-row' | 'bad-property' | 'bad-durable-subscription' | 'receipt-unsent'
  /** Whose row it is, who published or subscribed, who was to get the receipt. */
  readonly clientid: string
  /** The filter of the row or subscription, the topic of the publish, or the response topic. */
  readonly topic: string
  /** What was got, and what was wanted. */
  readonly why: string
}

/** An operator's row, or a user property of ours in a publish, that is passed over. */
export interface Ignored {
  readonly code: 'bad-operator-row' | 'bad-property'
  /** Whose row it is, or who published. */
  readonly clientid: string
  /** The row's filter, or the topic of the publish. */
  readonly topic: string
  /** What was got, and what was wanted. */
  readonly why: string
}

/** An error with a stable code: what was got, where, and what was wanted. Never holds a payload or a credential (I10). */
export class BackendError extends Error {
  /** Such as `bad-conf`, `option` or `usage`; each function says which it throws. */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'BackendError'
    this.code = code
  }
}

import { BackendError } from '../../lambda/core/errors.ts'

/** @throws BackendError `read-only` */
export function refuseUnless(write: boolean): void {
  if (!write) throw new BackendError('read-only', 'this console only reads: start it with --write')
}

import { BackendError } from '../lambda/core/errors.ts'

/**
 * Runs what makes a CDK app. A wrong conf, option or version of CDK is a line on stderr and exit status 2, without a stack: no code is
 * at fault. Any other error is thrown on.
 */
export function runApp(make: () => void): void {
  try {
    make()
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  }
}

/** What an app may build on of a hook. */
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'

export interface HookResources {
  /** Runs the hook's actions. */
  readonly function: IFunction
  /** Events that wait for the function. */
  readonly events: IQueue
  /** Events that the function could not handle. */
  readonly deadLetters: IQueue
}

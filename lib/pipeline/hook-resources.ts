import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'

/** What the construct shows of a hook. Nothing can be granted to the function: its role allows what its actions call. */
export interface HookResources {
  /** Runs the hook's actions. */
  readonly function: IFunction
  /** Events that wait for the function. */
  readonly events: IQueue
  /** Events that the function could not handle. */
  readonly deadLetters: IQueue
}

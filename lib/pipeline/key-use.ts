import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'

/**
 * Lets a role use the customer's key through one service only, which asks KMS in the role's name. KMS agrees if the key's policy leaves
 * that to IAM, as the policy of a key made in the console does.
 */
export const useThrough = (service: 'dynamodb' | 'sqs', key: IKey | undefined, actions: readonly string[]): PolicyStatement[] =>
  key === undefined
    ? []
    : [
        new PolicyStatement({
          actions: [...actions],
          resources: [key.keyArn],
          conditions: { StringEquals: { 'kms:ViaService': `${service}.${key.stack.region}.amazonaws.com` } },
        }),
      ]

/** Who sends to an encrypted queue asks for a data key, and checks it by decrypting. SQS developer guide, "Configuring AWS KMS permissions". */
export const SEND_KEY_ACTIONS = ['kms:GenerateDataKey', 'kms:Decrypt'] as const
export const RECEIVE_KEY_ACTIONS = ['kms:Decrypt'] as const

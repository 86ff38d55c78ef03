/**
 * The id of cdk-nag's finding for a wildcard in a policy: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:eu-west-1:<AWS::AccountId>:client/*]`.
 * @param text the action or resource as it stands in the template
 */
export const wildcardFinding = (kind: 'Action' | 'Resource', text: unknown): string => `AwsSolutions-IAM5[${kind}::${textOf(text)}]`

/** cdk-nag writes the values that CloudFormation fills in as `<name>`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref: ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] }
  return join === undefined ? `<${ref}>` : join[1].map(textOf).join(join[0])
}

import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core'
import { AwsCustomResource, AwsCustomResourcePolicy, type AwsSdkCall, PhysicalResourceId } from 'aws-cdk-lib/custom-resources'
import { Construct } from 'constructs'
import { wildcardFinding } from './wildcard-finding.ts'

const ENDPOINT_TYPE = 'iot:Data-ATS'

/**
 * Asks IoT Core for the account's data plane endpoint when the stack is deployed. CloudFormation has no attribute for it, and a
 * function that asked would ask at every cold start. AWS says of the SDK's default endpoint that it is "for testing only".
 */
export class DataEndpoint extends Construct {
  /** Host name. */
  readonly address: string

  constructor(scope: Construct, id: string, { logRetention }: { logRetention: number }) {
    super(scope, id)
    const describe: AwsSdkCall = {
      service: 'IoT',
      action: 'describeEndpoint',
      parameters: { endpointType: ENDPOINT_TYPE },
      outputPaths: ['endpointAddress'],
      physicalResourceId: PhysicalResourceId.of(ENDPOINT_TYPE),
    }
    const resource = new AwsCustomResource(this, 'Lookup', {
      resourceType: 'Custom::IotDataEndpoint',
      onCreate: describe,
      onUpdate: describe,
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
      // IAM has no resource type for iot:DescribeEndpoint.
      policy: AwsCustomResourcePolicy.fromStatements([new PolicyStatement({ actions: ['iot:DescribeEndpoint'], resources: ['*'] })]),
    })
    Validations.of(resource).acknowledge({
      id: wildcardFinding('Resource', '*'),
      reason: 'IAM has no resource type for iot:DescribeEndpoint.',
    })
    acknowledgeProvider(this)
    this.address = resource.getResponseField('endpointAddress')
  }
}

/** Construct id of the function that CDK makes for all AwsCustomResources of a stack. */
const PROVIDER = 'AWS679f53fac002430cb0da5b7982bd2287'

/** CDK makes this function, and it runs at deployments only. */
function acknowledgeProvider(scope: Construct): void {
  const ours = "CDK's own function, which calls iot:DescribeEndpoint at deployments"
  Validations.of(Stack.of(scope).node.findChild(PROVIDER)).acknowledge(
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: `${ours}: the policy lets it write its log.`,
    },
    { id: 'Serverless-LambdaDLQ', reason: `${ours}: CloudFormation waits for its answer and rolls back without one.` },
    { id: 'Serverless-LambdaTracing', reason: `${ours}: nothing to trace.` },
    { id: 'Serverless-LambdaDefaultMemorySize', reason: `${ours}: 128 MB do for one call.` },
  )
}

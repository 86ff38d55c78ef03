import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core'
import { AwsCustomResource, AwsCustomResourcePolicy, type AwsSdkCall, PhysicalResourceId } from 'aws-cdk-lib/custom-resources'
import { Construct } from 'constructs'
import { wildcardFinding } from './wildcard-finding.ts'

const ENDPOINT_TYPE = 'iot:Data-ATS'

/**
 * The account's IoT data plane, asked of IoT Core when the stack is deployed: CloudFormation has no attribute for it, and a call at every
 * cold start would be one too many. The SDK's default endpoint is "for testing only".
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
      // DescribeEndpoint knows no resource
      policy: AwsCustomResourcePolicy.fromStatements([new PolicyStatement({ actions: ['iot:DescribeEndpoint'], resources: ['*'] })]),
    })
    Validations.of(resource).acknowledge({ id: wildcardFinding('Resource', '*'), reason: 'iot:DescribeEndpoint knows no resource.' })
    acknowledgeProvider(this)
    this.address = resource.getResponseField('endpointAddress')
  }
}

/** As CDK names the function of all custom resources of a stack that call the SDK. */
const PROVIDER = 'AWS679f53fac002430cb0da5b7982bd2287'

/** The function is CDK's, and runs at deployments only. */
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

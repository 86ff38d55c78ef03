import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { RemovalPolicy } from 'aws-cdk-lib/core'
import { AwsCustomResource, AwsCustomResourcePolicy, type AwsSdkCall, PhysicalResourceId } from 'aws-cdk-lib/custom-resources'
import { Construct } from 'constructs'

const ENDPOINT_TYPE = 'iot:Data-ATS'

/**
 * The account's IoT data plane, asked of IoT Core when the stack is deployed: CloudFormation has no attribute for it, and a call at every
 * cold start would be one too many. The SDK's default endpoint is "for testing only".
 */
export class DataEndpoint extends Construct {
  /** Host name. */
  readonly address: string

  constructor(scope: Construct, id: string) {
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
      logGroup: new LogGroup(this, 'Logs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
      // DescribeEndpoint knows no resource
      policy: AwsCustomResourcePolicy.fromStatements([new PolicyStatement({ actions: ['iot:DescribeEndpoint'], resources: ['*'] })]),
    })
    this.address = resource.getResponseField('endpointAddress')
  }
}

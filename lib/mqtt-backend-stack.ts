import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { TABLE_NAMES } from '../lambda/core/tables.ts'
import { pascalCase } from './construct-ids.ts'
import { MqttBackend, type MqttBackendProps } from './mqtt-backend.ts'
import { SmokeProbe } from './smoke-probe.ts'

/** The backend as a stack of its own. Its outputs name queues, tables, dashboard and endpoint. */
export class MqttBackendStack extends Stack {
  /** @param props beside CDK's own: the backend's, and `probe` of docs/deploy.md: whether `mqtt-dynamodb smoke` may ask it more */
  constructor(
    scope: Construct,
    id: string,
    { backend, probe = false, ...props }: StackProps & { backend: MqttBackendProps; probe?: boolean },
  ) {
    super(scope, id, props)
    // CDK leaves the id `Default` out of logical ids: they start with the hook's name.
    this.addOutputs(new MqttBackend(this, 'Default', backend))
    if (probe) new SmokeProbe(this, 'Probe')
  }

  private addOutputs({ hooks, tables, keptTables, ruleErrors, dataEndpoint, dashboard }: MqttBackend): void {
    for (const [hook, { events, deadLetters }] of hooks) {
      this.output(`${pascalCase(hook)}QueueUrl`, events.queueUrl)
      this.output(`${pascalCase(hook)}DeadLetterQueueUrl`, deadLetters.queueUrl)
    }
    for (const name of TABLE_NAMES) this.output(`${pascalCase(name)}TableName`, tables[name].tableName)
    this.output('KeptWhenDestroyed', keptTables.join(', ') || 'nothing')
    this.output('RuleErrorsQueueUrl', ruleErrors.queueUrl)
    this.output('DashboardName', dashboard.dashboardName)
    if (dataEndpoint !== undefined) this.output('DataEndpointAddress', dataEndpoint)
  }

  private output(id: string, value: string): void {
    new CfnOutput(this, id, { value })
  }
}

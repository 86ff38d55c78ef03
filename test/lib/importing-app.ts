/** Somebody's CDK app that has the backend in a stack of its own. */
import { readFileSync } from 'node:fs'
import { TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { App, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { hookTableIn, MqttBackend } from '../../lib/public-api.ts'

class Shop extends Stack {
  constructor(scope: Construct, id: string, { text, ...props }: StackProps & { text: string }) {
    super(scope, id, props)
    const mqtt = new MqttBackend(this, 'Mqtt', { hookTable: hookTableIn(text, 'my.conf'), prefix: 'shop-' })
    const console = new Role(this, 'Console', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    mqtt.tables.mqtt_client.grantReadData(console)
    mqtt.hooks.get('message.publish')!.deadLetters.metricApproximateNumberOfMessagesVisible()
    mqtt.dashboard.addWidgets(new TextWidget({ markdown: 'Who is on call: ...' }))
    new CfnOutput(this, 'Presence', { value: mqtt.tables.mqtt_client.tableName })
  }
}

const app = new App()
new Shop(app, 'Shop', { text: readFileSync('my.conf', 'utf8') })
app.synth()

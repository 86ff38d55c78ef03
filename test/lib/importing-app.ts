/** Somebody's CDK app that has the backend in a stack of its own. */
import { readFileSync } from 'node:fs'
import { App, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { hookTableIn, MqttBackend } from '../../lib/public-api.ts'

class Shop extends Stack {
  constructor(scope: Construct, id: string, { text, ...props }: StackProps & { text: string }) {
    super(scope, id, props)
    const mqtt = new MqttBackend(this, 'Mqtt', { hookTable: hookTableIn(text, 'my.conf'), prefix: 'shop-' })
    new CfnOutput(this, 'Presence', { value: mqtt.tables.tables.mqtt_client.tableName })
  }
}

const app = new App()
new Shop(app, 'Shop', { text: readFileSync('my.conf', 'utf8') })
app.synth()

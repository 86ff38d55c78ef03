import { App } from 'aws-cdk-lib/core'
import { MqttBackendStack, runApp } from 'mqtt-dynamodb'
import { hookTableOf, readConf } from 'mqtt-dynamodb/conf'

// A wrong conf or option is one line, without a stack.
runApp(() => {
  const hookTable = hookTableOf(readConf('etc/emqx_backend_dynamo.conf'))

  new MqttBackendStack(new App(), 'MqttBackend', {
    env: { region: hookTable.region ?? 'us-west-2' },
    backend: { hookTable, retention: 'keep' },
  })
})

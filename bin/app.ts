/** The CDK app: one stack, made from a conf file. Options: `cdk synth -c name=value`, see lib/options/options.ts. */
import { App } from 'aws-cdk-lib/core'
import { hookTableOf, problemLine } from '../lib/conf/conf.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { MqttBackendStack } from '../lib/mqtt-backend-stack.ts'
import { refuseSharedTables } from '../lib/options/contradictions.ts'
import { DEFAULT_STACK_NAME, optionsOf } from '../lib/options/options.ts'
import { runApp } from '../lib/run-app.ts'

runApp(() => {
  // The local run finds a function's code by the asset metadata. Without autoSynth a refused app writes nothing when it exits.
  const app = new App({ autoSynth: false, context: { 'aws:cdk:enable-asset-metadata': true } })
  const chosen = optionsOf(app.node.getAllContext())
  refuseSharedTables(chosen)
  const { conf = DEFAULT_CONF, stackName = DEFAULT_STACK_NAME, probe = false, ...options } = chosen
  const parsed = readConf(conf)
  for (const { message, ...place } of parsed.warnings)
    process.stderr.write(`${problemLine({ ...place, message: `warning: ${message}` })}\n`)
  const table = hookTableOf(parsed)
  new MqttBackendStack(app, 'MqttBackend', {
    stackName,
    description: "The tables, hooks and actions of EMQX's emqx_backend_dynamo on AWS IoT Core",
    env: { region: table.region },
    backend: { hookTable: table, ...options },
    probe,
  })
  app.synth()
})

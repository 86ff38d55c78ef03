/** The CDK app: one stack, made from a conf file. Options: `cdk synth -c name=value`, see lib/options/options.ts. */
import { App } from 'aws-cdk-lib/core'
import { BackendError } from '../lambda/core/errors.ts'
import { hookTableOf, problemLine } from '../lib/conf/conf.ts'
import { DEFAULT_CONF, readConf } from '../lib/conf/conf-file.ts'
import { MqttBackendStack } from '../lib/mqtt-backend-stack.ts'
import { refuseSharedTables } from '../lib/options/contradictions.ts'
import { DEFAULT_STACK_NAME, optionsOf } from '../lib/options/options.ts'

try {
  main()
} catch (error) {
  // A wrong conf or option is one line; any other error is a bug and shows its stack.
  if (!(error instanceof BackendError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

function main(): void {
  // The local run finds a function's code by the asset metadata. Without autoSynth a refused app writes nothing when it exits.
  const app = new App({ autoSynth: false, context: { 'aws:cdk:enable-asset-metadata': true } })
  const chosen = optionsOf(app.node.getAllContext())
  refuseSharedTables(chosen)
  const { conf = DEFAULT_CONF, stackName = DEFAULT_STACK_NAME, probe = false, ...options } = chosen
  const parsed = read(conf)
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
}

function read(conf: string): ReturnType<typeof readConf> {
  try {
    return readConf(conf)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new BackendError('bad-conf', `option conf is ${JSON.stringify(conf)}, which cannot be read (${reason})`)
  }
}

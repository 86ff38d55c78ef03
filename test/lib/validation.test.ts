/**
 * Everything that can judge a template offline judges ours: CDK's own rules, and cdk-nag's packs AwsSolutions and Serverless.
 *
 * @slow
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { App, type CfnResource, type IPolicyValidationPlugin, Validations } from 'aws-cdk-lib/core'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import type { HookTable } from '../../lambda/core/hooks.ts'
import { MqttBackendStack } from '../../lib/mqtt-backend-stack.ts'
import { HookPipeline } from '../../lib/pipeline/hook-pipeline.ts'
import { OPTION_COMBINATIONS } from '../support/option-combinations.ts'
import { pageTable } from '../support/page-conf.ts'
import { EVERY_HOOK, row, tableOf } from '../support/synthesized.ts'

const outdir = mkdtempSync(join(tmpdir(), 'validated-'))
afterAll(() => rmSync(outdir, { recursive: true }))

type Pack = IPolicyValidationPlugin & { validateScope(scope: IConstruct): ReturnType<IPolicyValidationPlugin['validate']> }
const packs = (): Pack[] => [new AwsSolutionsChecks(), new ServerlessChecks()]

const appOf = (hookTable: HookTable, options: object, probe = false) => {
  const context = { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:validateAgainstDefaultRules': true }
  const app = new App({ outdir, context })
  new MqttBackendStack(app, 'MqttBackend', { env: { region: 'eu-west-1' }, backend: { hookTable, ...options }, probe })
  return app
}

/** `rule: construct` of each finding of a synth. */
function findings(app: App): string[] {
  process.env.CDK_VALIDATION = 'true'
  const said = jest.spyOn(console, 'error').mockImplementation(() => {})
  try {
    app.synth()
  } catch (error) {
    if (!/ValidationFailed/.test(String(error))) throw error
  } finally {
    said.mockRestore()
    process.exitCode = 0
  }
  const { pluginReports } = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'))
  return pluginReports.flatMap(({ violations }: Report) =>
    violations.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${ruleName}: ${constructPath}`),
    ),
  )
}
interface Report {
  violations: { ruleName: string; violatingConstructs: { constructPath: string }[] }[]
}

test.each(Object.entries(OPTION_COMBINATIONS))("the page's conf, %s: no finding", (_, options) => {
  const app = appOf(pageTable(), options)
  Validations.of(app).addPlugins(...packs())
  expect(findings(app)).toEqual([])
})

test('with the probe: no finding', () => {
  const app = appOf(pageTable(), {}, true)
  Validations.of(app).addPlugins(...packs())
  expect(findings(app)).toEqual([])
})

test('what must not be in it is found', () => {
  const app = appOf(tableOf(row('client.connected', 'on_client_connected')), {})
  Validations.of(app).addPlugins(...packs())
  const hook = app.node.findAll().find((each) => each instanceof HookPipeline)!
  new Policy(hook, 'Everything', {
    statements: [new PolicyStatement({ actions: ['dynamodb:*'], resources: ['*'] })],
    roles: [new Role(hook, 'Other', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })],
  })
  new Queue(hook, 'Plain')
  const handler = hook.function.node.defaultChild as CfnResource
  handler.addPropertyOverride('MemorySize', 64)
  const of = 'MqttBackend/Default/ClientConnected'
  expect(findings(app)).toEqual(
    expect.arrayContaining([
      `AwsSolutions-IAM5[Action::dynamodb:*]: ${of}/Everything/Resource`,
      `AwsSolutions-IAM5[Resource::*]: ${of}/Everything/Resource`,
      `AwsSolutions-SQS4: ${of}/Plain/Resource`,
      `Serverless-SQSRedrivePolicy: ${of}/Plain/Resource`,
      `F3034: ${of}/Function/Resource`,
    ]),
  )
})

const acknowledgedIn = (app: App) =>
  app.node
    .findAll()
    .flatMap(({ node }) => node.metadata.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY))
    .flatMap(({ data }) => Object.keys(data))
    .map((id) => id.replace(/^\w+::(?=AwsSolutions-|Serverless-)/, ''))

test('what is acknowledged is what would be found: nothing in advance, nothing out of date', () => {
  const found = new Set<string>()
  const acknowledged = new Set<string>()
  for (const options of Object.values(OPTION_COMBINATIONS)) {
    const app = appOf(EVERY_HOOK, options)
    for (const id of acknowledgedIn(app)) acknowledged.add(id)
    for (const pack of packs()) {
      Object.assign(pack, { isAcknowledged: () => false })
      for (const { ruleName } of pack.validateScope(app).violations) found.add(ruleName)
    }
  }
  expect([...acknowledged].sort()).toEqual([...found].sort())
})

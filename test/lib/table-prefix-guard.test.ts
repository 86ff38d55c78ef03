/** A deployment with another prefix is stopped before CloudFormation touches a table: in the template, and in what `cdk deploy` sends. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, LegacyStackSynthesizer, Stack } from 'aws-cdk-lib/core'
import { MqttBackend } from '../../lib/mqtt-backend.ts'
import { MqttTables, type MqttTablesProps } from '../../lib/mqtt-tables.ts'
import { backend, EVERY_HOOK, type SynthesizedTemplate, templateOf } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** As CloudFormation documents it: a stack keeps a parameter's value, or has the template's default where it has none yet. */
function broken({ parameters, rules }: SynthesizedTemplate, deployed: Readonly<Record<string, string>>): string[] {
  const inStack = (name: string) => deployed[name] ?? parameters[name]!.Default
  return Object.values(rules).flatMap(({ Assertions }) =>
    Assertions.filter(({ Assert }) => {
      const [one, other] = Assert['Fn::Equals'].map((side: string | { Ref: string }) =>
        typeof side === 'string' ? side : inStack(side.Ref),
      )
      return one !== other
    }).map(({ AssertDescription }) => AssertDescription),
  )
}
const deployedBy = ({ parameters }: SynthesizedTemplate) =>
  Object.fromEntries(Object.entries(parameters).map(([name, { Default }]) => [name, Default!]))

describe('the rule of the template', () => {
  const tables = (props: MqttTablesProps) => backend(EVERY_HOOK, props)
  const first = deployedBy(tables({}))
  const prefixed = deployedBy(tables({ prefix: 'prod_' }))

  test('holds for the first deployment and for the next one with the same prefix', () => {
    expect(first).toEqual({ TablesBeginWith: 'mqtt' })
    for (const props of [{}, { retainIndex: true }, { existingTables: true }, { prefix: '' }])
      expect(broken(tables(props), first)).toEqual([])
    expect(broken(tables({ prefix: 'prod_' }), {})).toEqual([])
    expect(broken(tables({ prefix: 'prod_' }), prefixed)).toEqual([])
  })

  test.each<[string, MqttTablesProps, Record<string, string>, string]>([
    ['changed', { prefix: 'prod_' }, first, '--parameters TablesBeginWith=prod_mqtt'],
    ['forgotten', {}, prefixed, '--parameters TablesBeginWith=mqtt'],
    ['changed, of tables that exist', { prefix: 'restored_', existingTables: true }, first, '--parameters TablesBeginWith=restored_mqtt'],
  ])('is broken by a prefix that was %s, and says what to give', (_, props, deployed, wanted) => {
    expect(broken(tables(props), deployed)).toEqual([
      expect.stringMatching(/^This template's tables begin with .* Give the option prefix of the last/),
    ])
    expect(broken(tables(props), deployed)[0]).toContain(wanted)
    const [, name, value] = / (\w+)=(\S+)$/.exec(wanted)!
    expect(broken(tables(props), { [name!]: value! })).toEqual([])
  })

  test('is one for each backend of a stack', () => {
    const two = templateOf((app) => {
      const stack = new Stack(app, 'Shop')
      for (const id of ['Sales', 'Stock-2']) new MqttBackend(stack, id, { hookTable: EVERY_HOOK, prefix: `${id}_` })
      return stack
    })
    expect(deployedBy(two)).toEqual({ SalesTablesBeginWith: 'Sales_mqtt', Stock2TablesBeginWith: 'Stock-2_mqtt' })
  })
})

/** CloudFormation as far as `cdk deploy` asks it: one stack, with the parameter of its first deployment. It refuses every change set. */
describe('cdk deploy', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'prefix-'))
  let server: Server
  const changeSets: URLSearchParams[] = []
  const answers: Record<string, string> = {
    GetCallerIdentity: '<Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>u</UserId><Account>111122223333</Account>',
    DescribeStacks: `<Stacks><member><StackName>MqttBackend</StackName><StackId>arn:aws:cloudformation:us-west-2:111122223333:stack/MqttBackend/1</StackId>
      <StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime>
      <Parameters><member><ParameterKey>TablesBeginWith</ParameterKey><ParameterValue>mqtt</ParameterValue></member></Parameters></member></Stacks>`,
    GetTemplate: '<TemplateBody>{}</TemplateBody>',
    DeleteChangeSet: '',
  }
  const refusals: Record<string, [string, string]> = {
    DescribeChangeSet: ['ChangeSetNotFound', 'none'],
    CreateChangeSet: ['ValidationError', 'refused here'],
  }

  beforeAll(async () => {
    const app = new App({ outdir })
    const env = { account: '111122223333', region: 'us-west-2' }
    new MqttTables(new Stack(app, 'MqttBackend', { synthesizer: new LegacyStackSynthesizer(), env }), 'Default', { prefix: 'new_' })
    app.synth()
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const form = new URLSearchParams(body)
        const action = form.get('Action') ?? ''
        if (action === 'CreateChangeSet') changeSets.push(form)
        const isThere = !/Toolkit/.test(form.get('StackName') ?? '')
        const answer = isThere ? answers[action] : undefined
        const [code, message] = refusals[action] ?? ['ValidationError', 'it does not exist']
        response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'text/xml' })
        response.end(
          answer === undefined
            ? `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
            : `<${action}Response><${action}Result>${answer}</${action}Result></${action}Response>`,
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(outdir, { recursive: true })
  })

  async function deploy(...more: string[]): Promise<{ said: string; sent: Record<string, string> }> {
    const env = {
      PATH: process.env.PATH,
      HOME: outdir,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
    }
    const child = spawn(join(ROOT, 'node_modules/.bin/cdk'), ['deploy', '--app', outdir, '--require-approval', 'never', ...more], {
      cwd: outdir,
      env,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk
      })
    await new Promise((resolve) => child.once('close', resolve))
    const sent = [...(changeSets.pop() ?? [])].filter(([name]) => name.startsWith('Parameters.'))
    return { said, sent: Object.fromEntries(sent) }
  }

  test('sends the value of the last deployment, so that the rule is broken', async () => {
    const { said, sent } = await deploy()
    expect(said).toContain('refused here')
    expect(sent).toEqual({ 'Parameters.member.1.ParameterKey': 'TablesBeginWith', 'Parameters.member.1.UsePreviousValue': 'true' })
  }, 60_000)

  test('sends another one only where it is told to', async () => {
    const { sent } = await deploy('--parameters', 'TablesBeginWith=new_mqtt')
    expect(sent).toMatchObject({ 'Parameters.member.1.ParameterKey': 'TablesBeginWith', 'Parameters.member.1.ParameterValue': 'new_mqtt' })
  }, 60_000)
})

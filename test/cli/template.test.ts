/**
 * The folder that `mqtt-dynamodb template` writes. test/deploy deploys it by the lines that it prints.
 * @seconds 30
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { LOG_DAYS } from '../../cli/template/parameters.ts'
import { HOOKS } from '../../lambda/core/hooks.ts'
import { bundleHooks } from '../../lib/pipeline/hook-bundles.ts'
import { here } from '../support/run-program.ts'
import { type Properties, SynthesizedTemplate } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const COMMITTED = new SynthesizedTemplate(JSON.parse(readFileSync(join(ROOT, 'test', 'lib', 'template.json'), 'utf8')))
const DATA_ENDPOINT = 'dataEndpoint=abc-ats.iot.us-west-2.amazonaws.com'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'template-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const read = (out: string): Properties => JSON.parse(readFileSync(join(out, 'template.json'), 'utf8'))

/** As CloudFormation reads it for these parameters: without what a condition leaves out. */
function deployed(template: Properties, parameters: Readonly<Record<string, string>>): SynthesizedTemplate {
  const value = (name: string) => parameters[name] ?? template.Parameters[name].Default
  const mails = value('AlarmEmail') !== ''
  const filled = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(filled).filter((each) => each !== undefined)
    if (typeof one !== 'object' || one === null) return one
    const { Ref: ref, 'Fn::If': choice } = one as Properties
    if (choice !== undefined) return filled(mails ? choice[1] : choice[2])
    if (ref === 'AWS::NoValue') return undefined
    if (ref === 'AlarmEmail' || ref === 'LogRetention') return value(ref)
    return Object.fromEntries(
      Object.entries(one).flatMap(([key, each]) => (key === 'Condition' && each === 'HasAlarmEmail' ? [] : [[key, filled(each)]])),
    )
  }
  const there = Object.entries(template.Resources as Properties).filter(([, { Condition }]) => mails || Condition !== 'HasAlarmEmail')
  return new SynthesizedTemplate({ ...template, Resources: filled(Object.fromEntries(there)) })
}

/** Without code, without what only CDK reads, and lists that are empty as if they were absent. */
const shown = ({ resources }: SynthesizedTemplate) =>
  Object.fromEntries(
    Object.entries(resources).map(
      ([
        id,
        {
          Properties: { Code: _code, AlarmActions, OKActions, ...properties },
          ...resource
        },
      ]) => {
        const { Metadata: _metadata, ...more } = resource as Properties
        const actions = [AlarmActions, OKActions].map((list) => list ?? [])
        return [id, { ...more, actions, Properties: properties }]
      },
    ),
  )

it('writes the stack of cdk deploy, with the code of its functions beside it, and needs no bootstrap', async () => {
  const out = join(directory, 'größe', 'out')
  const conf = join(directory, 'my.conf')
  writeFileSync(conf, readFileSync(join(ROOT, 'etc', 'emqx_backend_dynamo.conf'), 'utf8').replaceAll('us-west-2', 'eu-west-1'))
  const { status, out: said, err } = await here('template', '--conf', conf, '--out', out)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  expect(said).toContain(`aws cloudformation package --region eu-west-1 --template-file '${out}/template.json' --s3-bucket BUCKET `)
  const template = read(out)
  expect(shown(deployed(template, {}))).toEqual(shown(COMMITTED))
  expect(JSON.stringify(template)).not.toMatch(/bootstrap|cdk-hnb659fds|aws:(cdk|asset)/i)
  const { TablesBeginWith, ...parameters } = template.Parameters
  expect(TablesBeginWith).toEqual(COMMITTED.parameters.TablesBeginWith)
  expect(template.Rules).toEqual(COMMITTED.rules)
  expect(Object.keys(parameters)).toEqual(['AlarmEmail', 'LogRetention'])
  const code = Object.values(template.Resources as Properties).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Lambda::Function' ? [Properties.Code] : [],
  )
  expect(readdirSync(join(out, 'functions')).toSorted()).toEqual(code.map((folder) => folder.slice('functions/'.length)).toSorted())
  const ours = [...bundleHooks(HOOKS).values()].map((bundle) => Buffer.from(bundle).toString())
  const written = code.map((folder) => readFileSync(join(out, folder, 'index.js'), 'utf8'))
  expect(ours.every((bundle) => written.includes(bundle))).toBe(true)
}, 60_000)

it('asks at deployment for the address of alarms and the days of logs', async () => {
  expect(await here('template', '--out', directory, '--option', 'monthlyBudget=20', '--option', DATA_ENDPOINT)).toMatchObject({ status: 0 })
  const template = read(directory)
  const [without, mailed] = [deployed(template, {}), deployed(template, { AlarmEmail: 'ops@example.com', LogRetention: '7' })]
  const mailing = ['AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'AWS::SNS::Subscription', 'AWS::Budgets::Budget']
  for (const type of mailing) expect([type, without.ofType(type).length, mailed.ofType(type).length]).toEqual([type, 0, 1])
  expect(mailed.one('AWS::SNS::Subscription').Properties.Endpoint).toBe('ops@example.com')
  expect(JSON.stringify(mailed.one('AWS::Budgets::Budget'))).toContain('"Address":"ops@example.com"')
  const [[topic]] = mailed.ofType('AWS::SNS::Topic') as [[string, unknown]]
  for (const [, { Properties }] of mailed.ofType('AWS::CloudWatch::Alarm'))
    expect([Properties.AlarmActions, Properties.OKActions]).toEqual([[{ Ref: topic }], [{ Ref: topic }]])
  for (const [, { Properties }] of without.ofType('AWS::CloudWatch::Alarm')) expect(Properties.AlarmActions).toEqual([])
  expect(new Set(without.ofType('AWS::Logs::LogGroup').map(([, { Properties }]) => Properties.RetentionInDays))).toEqual(new Set([30]))
  expect(new Set(mailed.ofType('AWS::Logs::LogGroup').map(([, { Properties }]) => Properties.RetentionInDays))).toEqual(new Set(['7']))
}, 60_000)

it('takes the options of the CDK app, and a conf', async () => {
  const conf = join(directory, 'my.conf')
  writeFileSync(
    conf,
    `backend.dynamo.region = eu-west-1
backend.dynamo.pool1.server = http://localhost:8000
backend.dynamo.hook.client.connected.1 = {"action": {"function": "on_client_connected"}, "pool": "pool1"}
`,
  )
  const options = ['stackName=Plant', 'prefix=plant_', 'alarmEmail=ops@example.com', 'logRetention=7', 'memory={"client.connected":512}']
  const out = join(directory, 'out')
  const { status, out: said } = await here('template', '--conf', conf, '--out', out, ...options.flatMap((option) => ['--option', option]))
  expect(status).toBe(0)
  expect(said).toContain(
    `--region eu-west-1 --template-file ${out}/packaged.json --s3-bucket BUCKET --stack-name Plant --capabilities CAPABILITY_IAM\n`,
  )
  const template = new SynthesizedTemplate(read(out))
  expect(Object.keys(template.parameters)).toEqual(['TablesBeginWith', 'LogRetention'])
  expect(template.parameters.LogRetention!.Default).toBe(7)
  expect(template.one('AWS::SNS::Subscription').Properties.Endpoint).toBe('ops@example.com')
  expect(template.one('AWS::Lambda::Function').Properties.MemorySize).toBe(512)
  expect(template.ofType('AWS::DynamoDB::Table').map(([, { Properties }]) => Properties.TableName)).toContain('plant_mqtt_msg')
}, 60_000)

it("knows CloudWatch's days", () => {
  const days = Object.values(RetentionDays).filter((value) => typeof value === 'number' && value !== RetentionDays.INFINITE)
  expect([...LOG_DAYS]).toEqual(days.toSorted((a, b) => (a as number) - (b as number)))
})

describe('refuses, and leaves nothing', () => {
  const refused = async (args: readonly string[], line: string) =>
    expect(await here('template', ...args)).toEqual({ status: 2, out: '', err: `template: ${line}\n` })

  it('no folder', () => refused([], '--out is missing, wanted a directory (see --help)'))

  it('a folder that is not empty', async () => {
    writeFileSync(join(directory, 'mine.txt'), '')
    await refused(['--out', directory], `--out is "${directory}", which has mine.txt, wanted an empty folder (see --help)`)
    expect(readdirSync(directory)).toEqual(['mine.txt'])
  })

  it('a folder that cannot be written', async () => {
    writeFileSync(join(directory, 'file'), '')
    const out = join(directory, 'file', 'out')
    await refused(['--out', out], `--out is "${out}", wanted a folder that can be written (ENOTDIR) (see --help)`)
  })

  it('a conf that is not there', () =>
    refused(['--conf', 'none.conf', '--out', directory], '--conf is "none.conf", wanted a file that can be read (ENOENT) (see --help)'))

  it('a conf as an option', () =>
    refused(['--out', directory, '--option', 'conf=my.conf'], '--option is "conf=my.conf", wanted --conf my.conf (see --help)'))

  it('what is no option', () =>
    refused(
      ['--out', directory, '--option', 'prefix'],
      '--option is "prefix", wanted NAME=VALUE, an option of docs/deploy.md (see --help)',
    ))

  it('a bad conf, and a wrong option, with the folder not made', async () => {
    const conf = join(directory, 'bad.conf')
    writeFileSync(conf, 'backend.dynamo.nothing = 1\n')
    const out = join(directory, 'out')
    const { status, err } = await here('template', '--conf', conf, '--out', out)
    expect({ status, err }).toEqual({ status: 2, err: expect.stringMatching(/^template: .*bad\.conf:1: .*nothing/) })
    await refused(['--out', out, '--option', 'retention=forever'], 'option retention is "forever", wanted keep or dev')
    mkdirSync(join(directory, 'empty'))
    await refused(
      ['--out', join(directory, 'empty'), '--option', 'prefix=a b'],
      'option prefix is "a b", wanted letters, digits, "_", "-" and ".", at most 237',
    )
    expect(readdirSync(directory).toSorted()).toEqual(['bad.conf', 'empty'])
  }, 60_000)
})

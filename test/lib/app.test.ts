import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hookConfigs } from '../../lambda/core/hooks.ts'
import { readConf } from '../../lib/conf/conf-file.ts'
import { pascalCase } from '../../lib/construct-ids.ts'
import { synthesize } from '../../local/template/assembly.ts'
import { SynthesizedTemplate } from '../support/synthesized.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CONF = join(ROOT, 'etc', 'emqx_backend_dynamo.conf')
const LOCAL = { conf: CONF, retention: 'dev', dataEndpoint: 'http://127.0.0.1:8081' }

const directory = mkdtempSync(join(tmpdir(), 'app-'))
afterAll(() => rmSync(directory, { recursive: true }))

const templateIn = (outdir: string) => new SynthesizedTemplate(JSON.parse(readFileSync(join(outdir, 'MqttBackend.template.json'), 'utf8')))
const assetsOf = (template: SynthesizedTemplate) =>
  template
    .ofType('AWS::Lambda::Function')
    .map(([, resource]) => (resource as unknown as { Metadata: Record<string, string> }).Metadata['aws:asset:path']!)

describe('the app with the default conf', () => {
  let outdir: string
  let remove: () => Promise<void>
  beforeAll(async () => {
    ;({ directory: outdir, remove } = await synthesize(LOCAL, () => {}))
  }, 60_000)
  afterAll(() => remove())

  test("writes each hook's code, which this Node loads, beside the rows that it runs by", () => {
    const template = templateIn(outdir)
    for (const config of hookConfigs(readConf(CONF).table)) {
      const { Metadata, Properties } = template.one('AWS::Lambda::Function', pascalCase(config.hook)) as never as {
        Metadata: Record<string, string>
        Properties: { Environment?: { Variables: Record<string, unknown> } }
      }
      const code = join(outdir, Metadata['aws:asset:path']!)
      const names = Object.keys(Properties.Environment?.Variables ?? {})
      const env = {
        ...Object.fromEntries(names.map((name) => [name, 'x'])),
        LAMBDA_TASK_ROOT: code,
        AWS_REGION: 'us-west-2',
        NODE_NO_WARNINGS: '1',
      }
      const handler = execFileSync(process.execPath, ['-p', `typeof require(${JSON.stringify(join(code, 'index.js'))}).handler`], { env })
      expect([config.hook, handler.toString().trim()]).toEqual([config.hook, 'function'])
      expect(JSON.parse(readFileSync(join(code, 'hook.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(config)))
    }
  })

  test('gives every hook code of its own, and the same bytes when it runs again', async () => {
    const again = await synthesize(LOCAL, () => {})
    const assets = assetsOf(templateIn(outdir))
    expect(new Set(assets).size).toBe(assets.length)
    expect(assetsOf(templateIn(again.directory))).toEqual(assets)
    await again.remove()
  })

  test("is for the conf's region and any account", () => {
    const { artifacts } = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8'))
    expect(artifacts.MqttBackend.environment).toBe(`aws://unknown-account/${readConf(CONF).table.region}`)
  })

  test('leaves no path of the machine that built it in the code', () => {
    const template = templateIn(outdir)
    expect(assetsOf(template).length).toBeGreaterThan(0)
    for (const asset of assetsOf(template)) expect(readFileSync(join(outdir, asset, 'index.js'), 'utf8')).not.toContain(ROOT)
  })
})

test("passes CDK's own validation, 318 rules over 1,899 resource types", () => {
  const outdir = join(directory, 'validated')
  const context = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context
  const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify({ ...context, conf: CONF }), CDK_VALIDATION: 'true' }
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: ROOT, env })
  const { pluginReports } = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'))
  expect({ status, failed: pluginReports }).toEqual({ status: 0, failed: [] })
}, 60_000)

test('a stack with another name has rules, metrics and tables of its own', async () => {
  const { directory: outdir, remove } = await synthesize({ ...LOCAL, stackName: 'plant-7', prefix: 'plant7_' }, () => {})
  const template = templateIn(outdir)
  const { artifacts } = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8'))
  expect(artifacts.MqttBackend.properties.stackName).toBe('plant-7')
  for (const [, { Properties }] of template.ofType('AWS::IoT::TopicRule')) expect(Properties.RuleName).toMatch(/^plant7_/)
  for (const [, { Properties }] of template.ofType('AWS::DynamoDB::Table')) expect(Properties.TableName).toMatch(/^plant7_mqtt_/)
  expect(template.one('AWS::Lambda::Function', 'MessagePublish').Properties.Environment.Variables.METRICS_NAMESPACE).toBe('plant-7')
  await remove()
}, 60_000)

describe('the app refuses', () => {
  test('a bad conf with a line for each error', async () => {
    const conf = join(directory, 'bad.conf')
    writeFileSync(
      conf,
      '# bad\nbackend.dynamo.hook.message.publish.1 = {"topic": "#", "action": {"function": "on_nothing"}, "pool": "pool1"}\n',
    )
    const refusal = await refusalOf({ conf })
    expect(refusal.split('\n')).toContainEqual(expect.stringMatching(/bad\.conf:2: .*on_nothing/))
    expect(refusal).not.toMatch(/^\s+at /m)
  })

  test('a conf that is not there', async () => {
    expect(await refusalOf({ conf: join(directory, 'none.conf') })).toMatch(
      /^conf is ".*none\.conf", wanted a file that can be read \(ENOENT\)$/,
    )
  })

  test('options that contradict each other', async () => {
    expect(await refusalOf({ existingTables: true, billing: 'provisioned' })).toMatch(
      /^option billing is for tables that the stack makes, [^\n]*$/,
    )
  })

  test("a second stack that would take the first one's tables", async () => {
    expect(await refusalOf({ stackName: 'Two' })).toMatch(/^option stackName is Two without prefix: [^\n]*$/)
  })

  test('with nothing but its line: what it had by then is not synthesized, nor judged', () => {
    const context = { conf: CONF, existingTables: true, billing: 'provisioned' }
    const env = {
      ...process.env,
      CDK_OUTDIR: join(directory, 'refused'),
      CDK_CONTEXT_JSON: JSON.stringify(context),
      CDK_VALIDATION: 'true',
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: ROOT, env, encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'option billing is for tables that the stack makes, and with existingTables it makes none: wanted one of the two\n',
    })
    expect(existsSync(join(directory, 'refused', 'MqttBackend.template.json'))).toBe(false)
  })

  test('a conf with no hooks', async () => {
    const conf = join(directory, 'none-configured.conf')
    writeFileSync(conf, 'backend.dynamo.region = us-west-2\nbackend.dynamo.pool1.server = http://localhost:8000\n')
    expect(await refusalOf({ conf })).toMatch(/none-configured\.conf:1: no hook at all, wanted at least one backend[^\n]*$/)
  })

  test('an unknown option', async () => {
    expect(await refusalOf({ billling: 'x' })).toMatch(/^unknown option billling, wanted one of conf,/)
  })
})

const refusalOf = (context: Record<string, unknown>): Promise<string> =>
  synthesize(context, () => {}).then(
    () => {
      throw new Error('it was not refused')
    },
    (error: Error) => error.message,
  )

test('the CDK command line is one that reads these assemblies (3.0.0 was published by accident: aws/aws-cdk#38113)', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  expect(lock.packages['node_modules/aws-cdk'].version).toBe('2.1148.1')
})

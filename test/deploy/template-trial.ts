/** What `mqtt-dynamodb template` writes, deployed by the lines that it prints: AWS's own command line, no CDK, no bootstrap. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { elements, query, REGION } from './aws-engine.ts'
import type { Ran } from './cdk-cli.ts'
import type { Ground } from './ground.ts'
import { type Resource, refuses } from './refused-resources.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PROGRAM = join(ROOT, 'bin', 'mqtt-dynamodb.js')
const PREFIX = 'plain_'
const STACK = 'Plain'
const TABLE = `${PREFIX}mqtt_client`
const BUCKET = 'code-of-functions'

type Commands = readonly [pack: string, deploy: string]

/** @throws Error if the lines do not deploy it, or another prefix does. @returns the table that connections come to */
export async function tryTemplate({ engine, python }: Ground): Promise<string> {
  const out = join(engine.directory, 'plain')
  const options = [`dataEndpoint=${engine.url}`, `stackName=${STACK}`, `prefix=${PREFIX}`].flatMap((option) => ['--option', option])
  const { said } = await must(run(process.execPath, [PROGRAM, 'template', '--out', out, ...options]))
  const lines = said.split('\n').filter((line) => line.startsWith('  aws '))
  assert.equal(lines.length, 2, said)
  const commands = lines.map((line) => line.trim().replaceAll('BUCKET', BUCKET)) as [string, string]
  strip(join(out, 'template.json'))

  await must(aws(`aws s3 mb s3://${BUCKET} --region ${REGION}`))
  await deploy(commands)
  assert.equal((await typesOf()).get('AWS::SNS::Topic'), 1)
  await deploy(commands.map((command) => command.replace('AlarmEmail=ops@example.com', 'AlarmEmail= LogRetention=7')) as [string, string])
  assert.equal((await typesOf()).get('AWS::SNS::Topic'), undefined)

  rewrite(join(out, 'template.json'), (text) => text.replaceAll(`${PREFIX}mqtt`, 'other_mqtt'))
  await must(aws(commands[0]))
  const other = await aws(commands[1])
  assert.notEqual(other.status, 0, other.said)
  assert.match(other.said, /Give the option prefix of the last deployment/)
  return TABLE

  async function deploy([pack, send]: Commands): Promise<void> {
    await must(aws(pack))
    await must(aws(send))
  }

  /** A line as an operator types it, with the command line of the engine's Python. */
  function aws(line: string): Promise<Ran> {
    const { environment } = engine
    return run('sh', ['-c', `aws() { '${python}' -m awscli "$@"; }; ${line}`], { ...environment, AWS_DEFAULT_REGION: REGION })
  }

  async function typesOf(): Promise<ReadonlyMap<string, number>> {
    const types = elements(await query(engine, 'cloudformation', 'DescribeStackResources', { StackName: STACK }), 'ResourceType')
    return new Map([...new Set(types)].map((type) => [type, types.filter((one) => one === type).length]))
  }
}

/** Takes out what the engine refuses (engine-gaps.ts). */
const strip = (file: string): void =>
  rewrite(file, (text) => {
    const { Resources, ...template } = JSON.parse(text) as { Resources: Record<string, Resource> }
    const kept = Object.entries(Resources).filter(([, resource]) => !refuses(resource))
    return JSON.stringify({ ...template, Resources: Object.fromEntries(kept) })
  })

const rewrite = (file: string, change: (text: string) => string): void => writeFileSync(file, change(readFileSync(file, 'utf8')))

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 120_000, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ status, said: `${stdout}${stderr}` })
    })
  })
}

async function must(ran: Promise<Ran>): Promise<Ran> {
  const { status, said } = await ran
  assert.equal(status, 0, said.slice(-4_000))
  return { status, said }
}

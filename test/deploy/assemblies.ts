/** What is deployed: the app's own cloud assembly, less what the engine refuses. */
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ACCOUNT, type Engine, REGION } from './aws-engine.ts'
import { cdkMust } from './cdk-cli.ts'
import { type Resource, refuses } from './refused-resources.ts'

export const STACK = 'MqttBackend'

type Resources = Record<string, Resource>
type Change = (resources: Resources, template: Record<string, unknown>) => void

export interface Assembly {
  readonly directory: string
  /** Logical id -> resource that is deployed. */
  readonly resources: Readonly<Resources>
  /** Type -> how many resources were taken out. */
  readonly stripped: ReadonlyMap<string, number>
}

/** `cdk synth` of the app as anybody runs it; `context`: its options. It names the engine's data plane: the functions cannot ask for it. */
export async function synthesize(engine: Engine, name: string, context: Readonly<Record<string, string>> = {}): Promise<Assembly> {
  const directory = join(engine.directory, name)
  const options = Object.entries({ dataEndpoint: engine.url, ...context }).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  await cdkMust(engine, 'synth', '--quiet', '-o', directory, ...options)
  const stripped = new Map<string, number>()
  const resources = changeResources(directory, (all) => {
    for (const [id, resource] of Object.entries(all)) {
      if (!refuses(resource)) continue
      delete all[id]
      stripped.set(resource.Type, (stripped.get(resource.Type) ?? 0) + 1)
    }
  })
  return { directory, resources, stripped }
}

/** A copy with one more resource that cannot be created, after all tables. */
export const failingCopy = (engine: Engine, assembly: Assembly): Assembly =>
  changedCopy(engine, assembly, 'failing', (all) => {
    const tables = Object.keys(all).filter((id) => all[id]!.Type === 'AWS::DynamoDB::Table')
    const ServiceToken = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:nobody`
    all.Fails = { Type: 'Custom::Fails', Properties: { ServiceToken }, DependsOn: tables }
  })

/** A copy as the option `prefix` makes it. */
export const prefixedCopy = (engine: Engine, assembly: Assembly, prefix: string): Assembly =>
  changedCopy(engine, assembly, 'prefixed', (all, template) => {
    for (const { Type, Properties } of Object.values(all))
      if (Type === 'AWS::DynamoDB::Table') Object.assign(Properties, { TableName: `${prefix}${Properties.TableName}` })
    for (const part of ['Parameters', 'Rules'])
      template[part] = JSON.parse(JSON.stringify(template[part]).replaceAll('"mqtt"', `"${prefix}mqtt"`))
  })

/** A copy for another engine: its functions ask that one's data plane. */
export const movedCopy = (engine: Engine, assembly: Assembly, { from, to }: { from: string; to: string }): Assembly =>
  changedCopy(engine, assembly, 'moved', (all) => {
    Object.assign(all, JSON.parse(JSON.stringify(all).replaceAll(from, to)))
  })

/** A copy whose functions may receive their events, and nothing else. */
export const powerlessCopy = (engine: Engine, assembly: Assembly): Assembly =>
  changedCopy(engine, assembly, 'powerless', (all) => {
    for (const { Properties } of Object.values(all)) {
      if (!JSON.stringify(Properties.AssumeRolePolicyDocument ?? {}).includes('lambda.amazonaws.com')) continue
      for (const { PolicyDocument } of (Properties.Policies ?? []) as { PolicyDocument: { Statement: { Action: unknown }[] } }[])
        PolicyDocument.Statement = PolicyDocument.Statement.filter(({ Action }) => JSON.stringify(Action).includes('"sqs:'))
    }
  })

function changedCopy(engine: Engine, { directory, stripped }: Assembly, name: string, change: Change): Assembly {
  const copy = join(engine.directory, name)
  cpSync(directory, copy, { recursive: true })
  return { directory: copy, resources: changeResources(copy, change), stripped }
}

/** The template is an asset too: it is published under its hash, which two other files name. */
function changeResources(directory: string, change: Change): Resources {
  const file = (name: string) => join(directory, name)
  const template = JSON.parse(readFileSync(file(`${STACK}.template.json`), 'utf8')) as { Resources: Resources } & Record<string, unknown>
  change(template.Resources, template)
  const text = JSON.stringify(template, null, 1)
  writeFileSync(file(`${STACK}.template.json`), text)
  const hash = createHash('sha256').update(text).digest('hex')
  const { files } = JSON.parse(readFileSync(file(`${STACK}.assets.json`), 'utf8')) as {
    files: Record<string, { source: { path: string } }>
  }
  const [old] = Object.entries(files).find(([, { source }]) => source.path === `${STACK}.template.json`)!
  for (const name of [`${STACK}.assets.json`, 'manifest.json'])
    writeFileSync(file(name), readFileSync(file(name), 'utf8').replaceAll(old, hash))
  return template.Resources
}

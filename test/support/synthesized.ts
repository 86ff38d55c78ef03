import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type Stack } from 'aws-cdk-lib/core'
import type { ActionName, HookName, HookRow, HookTable } from '../../lambda/core/hooks.ts'
import { MqttBackendStack } from '../../lib/mqtt-backend-stack.ts'
import type { BackendOptions } from '../../lib/options/options.ts'

// biome-ignore lint/suspicious/noExplicitAny: a template's properties are of every shape
export type Properties = Record<string, any>
export interface Resource {
  readonly Type: string
  readonly Properties: Properties
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
}

/** A synthesized template, asked for resources by type or by the start of their logical id. */
export class SynthesizedTemplate {
  readonly resources: Readonly<Record<string, Resource>>
  readonly outputs: Readonly<Record<string, { Value: unknown }>>
  readonly parameters: Readonly<Record<string, { Type: string; Default?: string; Description?: string }>>
  /** Checked by CloudFormation before it creates or updates anything. */
  readonly rules: Readonly<Record<string, { Assertions: Properties[] }>>

  constructor(template: Properties) {
    this.resources = template.Resources ?? {}
    this.outputs = template.Outputs ?? {}
    // Without those that CDK adds to every stack, about its bootstrap.
    const { BootstrapVersion: _version, ...parameters } = template.Parameters ?? {}
    const { CheckBootstrapVersion: _check, ...rules } = template.Rules ?? {}
    this.parameters = parameters
    this.rules = rules
  }

  ofType(type: string): [id: string, resource: Resource][] {
    return Object.entries(this.resources).filter(([, resource]) => resource.Type === type)
  }

  /** The only resource of the type whose logical id starts so. */
  one(type: string, idStart = ''): Resource {
    const found = this.ofType(type).filter(([id]) => id.startsWith(idStart))
    if (found.length !== 1) throw new Error(`${found.length} resources ${type} ${idStart}*, wanted one: ${found.map(([id]) => id)}`)
    return found[0]![1]
  }
}

/** The template of whatever `build` puts into an app; assets are not bundled, and CDK's validation is left to the app's own test. */
export function templateOf(build: (app: App) => Stack): SynthesizedTemplate {
  process.env.CDK_VALIDATION = 'false'
  const outdir = mkdtempSync(join(tmpdir(), 'synthesized-'))
  try {
    const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } })
    const stack = build(app)
    return new SynthesizedTemplate(app.synth().getStackArtifact(stack.artifactId).template)
  } finally {
    rmSync(outdir, { recursive: true })
  }
}

export const backend = (hookTable: HookTable, options: BackendOptions = {}, region = 'eu-west-1') =>
  templateOf((app) => new MqttBackendStack(app, 'MqttBackend', { env: { region }, backend: { hookTable, ...options } }))

export const row = (hook: HookName, action: ActionName, topic?: string): HookRow => ({
  hook,
  action,
  label: '1',
  pool: 'pool1',
  ...(topic === undefined ? {} : { topic }),
})

export const tableOf = (...rows: HookRow[]): HookTable => ({ pools: { pool1: {} }, rows })

/** Every hook with every action. */
export const EVERY_HOOK = tableOf(
  row('client.connected', 'on_client_connected'),
  row('client.connected', 'on_subscribe_lookup'),
  row('session.created', 'on_subscribe_lookup'),
  row('client.disconnected', 'on_client_disconnected'),
  row('session.subscribed', 'on_message_fetch_for_queue', '#'),
  row('session.subscribed', 'on_retain_lookup', '#'),
  row('session.unsubscribed', 'on_acked_delete', '#'),
  row('message.publish', 'on_message_publish', '#'),
  row('message.publish', 'on_message_store', 'history/#'),
  row('message.publish', 'on_message_retain', '#'),
  row('message.publish', 'on_retain_delete', '#'),
  row('message.acked', 'on_message_acked_for_queue', '#'),
)

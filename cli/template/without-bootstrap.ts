/** A template that needs no bootstrap: its functions' code lies in folders beside it, as `aws cloudformation package` takes it. */
import { BackendError } from '../../lambda/core/errors.ts'

export interface CdkResource {
  readonly Type: string
  readonly Properties?: Readonly<Record<string, unknown>>
  readonly Metadata?: Readonly<Record<string, unknown>>
}

export interface CdkTemplate {
  readonly Resources: Readonly<Record<string, CdkResource>>
  readonly Parameters?: Readonly<Record<string, unknown>>
  readonly Rules?: Readonly<Record<string, unknown>>
}

/** Of the file of assets, by hash. */
export interface AssetFile {
  readonly source: { readonly path: string }
}

export interface WithoutBootstrap {
  readonly template: CdkTemplate
  /** Folder beside the template -> folder of the cloud assembly. */
  readonly code: ReadonlyMap<string, string>
}

/** @throws BackendError `template` if something else than code is to be had from the bootstrap's bucket */
export function withoutBootstrap(given: CdkTemplate, files: Readonly<Record<string, AssetFile>>): WithoutBootstrap {
  const code = new Map<string, string>()
  const { BootstrapVersion: _version, ...Parameters } = given.Parameters ?? {}
  const { CheckBootstrapVersion: _check, ...Rules } = given.Rules ?? {}
  const Resources = Object.fromEntries(
    Object.entries(given.Resources).map(([id, resource]) => {
      const { S3Key } = (resource.Properties?.Code ?? {}) as { S3Key?: string }
      const file = S3Key === undefined ? undefined : files[S3Key.replace(/\.zip$/, '')]
      if (file === undefined) return [id, ofCloudFormation(resource)]
      const folder = `functions/${id}`
      code.set(folder, file.source.path)
      return [id, ofCloudFormation({ ...resource, Properties: { ...resource.Properties, Code: folder } })]
    }),
  )
  const template = { ...given, Parameters, Rules, Resources }
  if (/cdk-[a-z0-9]+-assets/.test(JSON.stringify(template)))
    throw new BackendError('template', "the template takes more than code from the bootstrap's bucket")
  return { template, code }
}

/** Without what only CDK reads. */
function ofCloudFormation({ Metadata, ...resource }: CdkResource): CdkResource {
  const kept = Object.entries(Metadata ?? {}).filter(([name]) => !name.startsWith('aws:'))
  return kept.length === 0 ? resource : { ...resource, Metadata: Object.fromEntries(kept) }
}

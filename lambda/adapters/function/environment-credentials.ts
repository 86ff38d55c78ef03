/**
 * Credentials from the variables that Lambda sets. esbuild puts this file in place of the SDK's chain of providers
 * (`lib/pipeline/hook-bundles.ts`), so STS, SSO and instance metadata stay out of the bundle.
 */
import { BackendError } from '../../core/errors.ts'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * Named as in @aws-sdk/credential-provider-node. Without expiry: the credentials are valid as long as the execution environment lives.
 * @throws BackendError `no-credentials`
 */
export const defaultProvider = () => async (): Promise<Credentials> => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new BackendError('no-credentials', 'no credentials: wanted AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment')
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  }
}

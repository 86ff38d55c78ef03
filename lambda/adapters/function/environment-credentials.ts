/**
 * Credentials from the variables that Lambda sets, in place of the SDK's chain: esbuild puts this where the clients import theirs
 * (`lib/pipeline/hook-bundles.ts`), and STS, SSO, instance metadata and what they need stay out of the bundle.
 */
import { BackendError } from '../../core/errors.ts'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * As @aws-sdk/credential-provider-node names it. Lambda's credentials are those of its execution environment and live as long: no expiry.
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

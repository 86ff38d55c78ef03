/** IoT Core's quotas of the account, as Service Quotas tells them: a new account may have less than the defaults. */
import { type Account, type Answer, ask, jsonOf, refusalIn } from '../operate/control-plane.ts'
import type { Finding } from '../operate/finding.ts'

/** Codes and defaults as in docs/first-week.md. */
const QUOTAS = [
  { code: 'L-4B33E451', name: 'publishes from devices', least: 20_000 },
  { code: 'L-FE4EDCF9', name: 'publishes to devices', least: 20_000 },
  { code: 'L-5E9B88DA', name: 'rule evaluations', least: 20_000 },
  { code: 'L-AEA1E176', name: 'connects', least: 500 },
  { code: 'L-1243AB32', name: 'GetRetainedMessage', least: 500 },
] as const
type Quota = (typeof QUOTAS)[number]

export async function quotaFindings(account: Account): Promise<Finding[]> {
  const told = await Promise.all(QUOTAS.map(async (quota) => ({ quota, answer: await perSecond(account, quota) })))
  const refused = told.find(({ answer }) => typeof answer !== 'number')
  if (refused !== undefined) {
    const why = refusalIn(refused.answer as Answer)
    return [{ state: 'open', what: `IoT Core's quotas (servicequotas:GetServiceQuota): not asked (${why})` }]
  }
  const low = told.filter(({ quota, answer }) => (answer as number) < quota.least)
  if (low.length === 0)
    return [{ state: 'good', what: `IoT Core takes ${told[0]!.answer} publishes a second, and no less of the rest than by default` }]
  return low.map(({ quota: { code, name, least }, answer }) => ({
    state: 'look',
    what: `IoT Core: ${answer} ${name} a second, by default it is ${least}`,
    todo: `if your devices need more: aws service-quotas request-service-quota-increase --service-code iotcore --quota-code ${code} --desired-value ${least}`,
  }))
}

/** Service Quotas API reference: GetServiceQuota knows what was applied; else the default of AWS holds. */
async function perSecond(account: Account, { code }: Quota): Promise<number | Answer> {
  const applied = await askQuotas(account, 'GetServiceQuota', code)
  const answer = applied.text.includes('NoSuchResource') ? await askQuotas(account, 'GetAWSDefaultServiceQuota', code) : applied
  return jsonOf<{ Quota?: { Value?: number } }>(answer)?.Quota?.Value ?? answer
}

const askQuotas = (account: Account, operation: string, QuotaCode: string): Promise<Answer> =>
  ask(account, 'servicequotas', '/', {
    target: `ServiceQuotasV20190624.${operation}`,
    body: JSON.stringify({ ServiceCode: 'iotcore', QuotaCode }),
  })

import type { BackendOptions } from '../../lib/options/options.ts'

const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** What users would pick, by what they would call it. */
export const OPTION_COMBINATIONS: Readonly<Record<string, BackendOptions>> = {
  'nothing chosen': {},
  'to try it': { retention: 'dev' },
  'as the page has it': { billing: 'provisioned' },
  "a company's rules: own key, own prefix": { keyArn: KEY_ARN, prefix: 'prod-' },
  'many wildcard subscribers': { retainIndex: true, keyArn: KEY_ARN },
  "EMQX's tables, adopted": { existingTables: true, prefix: 'emqx_' },
  'half of the tables adopted': { existingTables: ['mqtt_client', 'mqtt_sub', 'mqtt_acked'], billing: 'provisioned:50/20' },
  'sized for much': {
    memory: { 'message.publish': 1024 },
    concurrency: { 'message.publish': 200, 'session.subscribed': 50 },
    batchSize: { 'message.publish': 100 },
    batchWindow: { 'message.publish': 1 },
    logRetention: 365,
    alarmEmail: 'ops@example.com',
    monthlyBudget: 200,
    alarmQueueDepth: 1000,
    alarmQueueAge: 86_400,
  },
  'alarms on a topic that is there, nothing expires': { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops', ttl: false },
  'a known endpoint': { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com' },
}

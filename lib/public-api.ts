/** What `import ... from 'mqtt-dynamodb'` gives. docs/api.md shows it; CONTRIBUTING.md says how it may change. */
export { BackendError } from '../lambda/core/errors.ts'
export type { ActionName, HookName, HookRow, HookTable } from '../lambda/core/hooks.ts'
export type { TableName } from '../lambda/core/tables.ts'
export { hookTableIn } from './conf/conf.ts'
export { MqttBackend, type MqttBackendProps } from './mqtt-backend.ts'
export { MqttBackendStack } from './mqtt-backend-stack.ts'
export type { BackendOptions, Billing } from './options/options.ts'

/** What `import ... from 'mqtt-dynamodb/conf'` gives: reads confs, and loads nothing of CDK. */
export { BackendError } from '../lambda/core/errors.ts'
export type { HookRow, HookTable } from '../lambda/core/hooks.ts'
export { type ConfProblem, hookTableIn, hookTableOf, type ParsedConf, parseConf, problemLine } from './conf/conf.ts'
export { readConf } from './conf/conf-file.ts'

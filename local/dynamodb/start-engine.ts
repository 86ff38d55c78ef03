/** The DynamoDB that the local run was asked for. */
import { tablesIn } from '../state/data-directory.ts'
import { startEmbedded, type Throttle } from './embedded.ts'
import type { DynamoDbEngine } from './engine.ts'
import { startDynamoDbLocal } from './local.ts'

export interface EngineOptions {
  /** `embedded`, `local`, or the URL of one that runs. */
  readonly dynamodb: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Keeps the embedded engine's tables; absent: in memory. */
  readonly dataDir?: string | undefined
  readonly throttle: Throttle
  readonly warn: (line: string) => void
}

/** @throws BackendError as the engines do */
export async function startEngine({ dynamodb, host, port, dataDir, throttle, warn }: EngineOptions): Promise<DynamoDbEngine> {
  if (dynamodb === 'local') return await startDynamoDbLocal({ host, port, log: warn })
  if (dynamodb !== 'embedded') return { name: 'remote', url: dynamodb.replace(/\/$/, ''), close: async () => undefined }
  const directory = dataDir === undefined ? {} : { dataDir: tablesIn(dataDir) }
  return await startEmbedded({ host, port, inWorker: true, ...directory, ...(throttle.rate > 0 ? { throttle } : {}) })
}

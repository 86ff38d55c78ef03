/** The embedded DynamoDB's own thread. Bundled by embedded.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { startEmbedded, type WorkerReport } from './embedded.ts'

const report = (said: WorkerReport) => parentPort?.postMessage(said)

startEmbedded(workerData).then(
  (engine) => {
    report({ url: engine.url })
    parentPort?.once('message', () => engine.close().then(() => process.exit()))
  },
  (error) => report({ failed: error.message, code: error.code ?? 'DYNAMODB_WORKER' }),
)

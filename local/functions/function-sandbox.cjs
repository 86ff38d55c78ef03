// A function's thread: loads the deployed bundle and answers invocations. Plain CommonJS: nothing is compiled, no loader's memory.
// Its `process.env` is what the template and Lambda give, and nothing else (Worker option `env`).
const { parentPort, workerData } = require('node:worker_threads')

const { path, exportName, functionName, memoryMegabytes, timeoutMs } = workerData
const handler = require(path)[exportName]

const describe = (error) =>
  error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: `threw ${typeof error}` }

parentPort.on('message', async ({ id, event, deadline }) => {
  const context = {
    functionName,
    awsRequestId: id,
    functionVersion: '$LATEST',
    memoryLimitInMB: `${memoryMegabytes}`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.min(timeoutMs, deadline - Date.now())),
  }
  try {
    const result = await handler(event, context)
    parentPort.postMessage({ id, result: JSON.stringify(result) ?? 'null' })
  } catch (error) {
    parentPort.postMessage({ id, error: describe(error) })
  }
})
parentPort.postMessage({ ready: true })

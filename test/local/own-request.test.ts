/** A proxy in the environment (HTTP_PROXY with NODE_USE_ENV_PROXY=1) replaces what `fetch` and Node's global agent send requests by. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import type { DynamoDbEngine } from '../../local/dynamodb/engine.ts'

const CREATION = join(import.meta.dirname, '../../local/template/table-creation.ts')
const PROXY = `
import http from 'node:http'
const refuse = () => { throw new Error('asked the proxy') }
globalThis[Symbol.for('undici.globalDispatcher.1')] = { dispatch: refuse }
http.globalAgent = Object.assign(new http.Agent(), { createConnection: refuse })
`

test('no proxy stands between the local run and its DynamoDB', async () => {
  const engine: DynamoDbEngine = await startEmbedded({ host: '127.0.0.1', port: 0 })
  const directory = await mkdtemp(join(tmpdir(), 'proxy-'))
  try {
    const program = join(directory, 'program.mts')
    await writeFile(
      program,
      `${PROXY}
import { createTables } from ${JSON.stringify(CREATION)}
const before = await fetch(${JSON.stringify(engine.url)}).then(() => 'no proxy', (error) => error.cause?.message ?? error.message)
await createTables(${JSON.stringify(engine.url)}, [])
console.log(before)
`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program])
    expect(stdout.trim()).toBe('asked the proxy')
  } finally {
    await rm(directory, { recursive: true })
    await engine.close()
  }
})

/**
 * Starts the DynamoDB engines of a jest run, each when the first test file asks for it, and tells the others where it is.
 * Lives in jest's parent process; test files (in their own processes) ask over HTTP.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import type { DynamoDbEngine } from '../../local/dynamodb/engine.ts'
import { dynamoDbLocalCommand, startDynamoDbLocal } from '../../local/dynamodb/local.ts'
import { ENGINES_VARIABLE, type EngineName } from './engine-names.ts'

const ANY_PORT = { host: '127.0.0.1', port: 0 }
type Started = Exclude<EngineName, 'maps'>
const START: Record<Started, () => Promise<DynamoDbEngine>> = {
  local: () => startDynamoDbLocal(ANY_PORT),
  embedded: () => startEmbedded({ ...ANY_PORT, inWorker: true }),
}

export interface EngineDesk {
  readonly url: string
  readonly engines: readonly EngineName[]
  close(): Promise<void>
}

/**
 * Downloads DynamoDB Local if need be (the first run); where it cannot be had, says so in one line and does without.
 * @param wanted only these engines, comma separated. Then one that cannot be had is an error.
 * @throws Error
 */
export async function openEngineDesk(log: (line: string) => void, wanted?: string): Promise<EngineDesk> {
  const engines = wanted ? await chosen(wanted, log) : await available(log)
  const started = new Map<Started, Promise<DynamoDbEngine>>()
  const engine = (name: Started) => {
    const running = started.get(name) ?? START[name]()
    started.set(name, running)
    return running
  }
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) as EngineName
    const asked = name !== 'maps' && engines.includes(name) ? engine(name) : Promise.reject(new Error(`no engine ${name}`))
    asked.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await Promise.allSettled([...started.values()].map(async (running) => (await running).close()))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, engines, close }
}

async function available(log: (line: string) => void): Promise<EngineName[]> {
  const engines: EngineName[] = ['embedded']
  await dynamoDbLocalCommand(log).then(
    () => engines.unshift('local'),
    (error) => log(`engine tests run on the embedded DynamoDB only: ${error.message}`),
  )
  return engines
}

async function chosen(wanted: string, log: (line: string) => void): Promise<EngineName[]> {
  const names = wanted.split(',')
  const known = [...Object.keys(START), 'maps']
  if (names.some((name) => !known.includes(name))) throw new Error(`${ENGINES_VARIABLE} is '${wanted}', wanted some of ${known}`)
  if (names.includes('local')) await dynamoDbLocalCommand(log)
  return names as EngineName[]
}

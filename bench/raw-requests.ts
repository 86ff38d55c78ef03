/** What handlers ask of the SDK, recorded once, and the same asked again with no logic: the floor under them. */
import type { Clients } from './handlers.ts'

interface RawRequest {
  readonly client: keyof Clients
  readonly Command: new (input: never) => object
  readonly input: Record<string, unknown>
  /** Name of the error that it was answered with. */
  error?: string
}

/** Of one invocation: requests that were on their way at once, one such group after the other. */
export type Waves = readonly (readonly RawRequest[])[]

/** The same clients, listened to. `take`: the waves since the last call. */
export function recorded(clients: Clients): { readonly clients: Clients; take(): Waves } {
  let waves: RawRequest[][] = []
  /** Of the requests that have been answered, the last wave: what begins now had to wait for it. */
  let answered = 0
  const listening = <Name extends keyof Clients>(name: Name): Clients[Name] => {
    const client = clients[name] as { send(command: object, ...more: unknown[]): Promise<unknown> }
    return Object.create(client, {
      send: {
        async value(command: { constructor: RawRequest['Command']; input: RawRequest['input'] }, ...more: unknown[]) {
          const request: RawRequest = { client: name, Command: command.constructor, input: command.input }
          const wave = answered
          waves[wave] = [...(waves[wave] ?? []), request]
          try {
            return await client.send(command, ...more)
          } catch (error) {
            request.error = (error as Error).name
            throw error
          } finally {
            answered = Math.max(answered, wave + 1)
          }
        },
      },
    })
  }
  return {
    clients: { dynamodb: listening('dynamodb'), iot: listening('iot') },
    take() {
      const taken = waves
      waves = []
      answered = 0
      return taken
    },
  }
}

/** The same requests on other tables, so that they find what the recorded ones found. `renamed`: a table's name there. */
export const onTables = (waves: Waves, renamed: (table: string) => string): Waves =>
  waves.map((requests) =>
    requests.map((request) => {
      const { TableName, RequestItems, ...rest } = request.input
      const batch = RequestItems && Object.fromEntries(Object.entries(RequestItems).map(([table, items]) => [renamed(table), items]))
      const tables = { ...(TableName ? { TableName: renamed(TableName as string) } : {}), ...(batch ? { RequestItems: batch } : {}) }
      return { ...request, input: { ...rest, ...tables } }
    }),
  )

export async function replay(clients: Clients, waves: Waves): Promise<void> {
  for (const requests of waves) await Promise.all(requests.map((request) => again(clients, request)))
}

/** @throws where the answer is of another kind than it was */
async function again(clients: Clients, { client, Command, input, error }: RawRequest): Promise<void> {
  const sender = clients[client] as { send(command: object): Promise<unknown> }
  if (error === undefined) {
    await sender.send(new Command(input as never))
    return
  }
  try {
    await sender.send(new Command(input as never))
  } catch (again) {
    if ((again as Error).name === error) return
    throw again
  }
  throw new Error(`a repeated ${Command.name} was answered, wanted ${error} as before`)
}

export const requestsIn = (waves: Waves): number => waves.flat().length

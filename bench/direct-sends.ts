/** Direct messages as the SDK sends them: how long one takes with no logic, and when handlers send theirs. */
import { SendDirectMessageCommand } from '@aws-sdk/client-iot-data-plane'
import type { Clients } from './handlers.ts'

/** Milliseconds: SDK, HTTP and PUBACK, no logic. */
export async function rawRoundTrips(iot: Clients['iot']): Promise<number[]> {
  const taken: number[] = []
  for (let i = 0; i < 40; i++) {
    const started = performance.now()
    await iot.send(new SendDirectMessageCommand({ clientId: 'raw', topic: 'raw', confirmation: true, payload: Buffer.from('x') }))
    taken.push(performance.now() - started)
  }
  return taken
}

/** The client, with the moments noted at which it is asked to send. */
export const noting = (iot: Clients['iot'], sent: number[]): Clients['iot'] =>
  Object.create(iot, {
    send: {
      value(command: never) {
        sent.push(performance.now())
        return iot.send(command)
      },
    },
  })

/** A device on the engine's MQTT broker, which it serves over WebSocket under the name of a data endpoint. */
import mqtt, { type MqttClient } from 'mqtt'
import type { Engine } from './aws-engine.ts'
import { REGION } from './aws-engine.ts'

export async function connectDevice({ port }: Engine, clientId: string): Promise<MqttClient> {
  const headers = { host: `engine-ats.iot.${REGION}.amazonaws.com` }
  return await mqtt.connectAsync(`ws://127.0.0.1:${port}/mqtt`, {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
    wsOptions: { headers },
  })
}

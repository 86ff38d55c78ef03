/** Where the services of a trial are, and with which credentials its clients connect. */
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import type { IClientOptions } from 'mqtt'
import { BackendError } from '../../lambda/core/errors.ts'
import { localCredentials, refusalOf } from '../dead-letters/sqs-client.ts'
import { dataEndpointOf } from './account-endpoint.ts'
import { type Credentials, presigned } from './sigv4.ts'

/** The stack to try, and how to reach it. */
export interface SmokeCommand {
  readonly region: string
  /** URLs. Without `data` IoT Core is asked for the data endpoint; without `mqtt` the broker is at the same host. */
  readonly data?: string
  readonly mqtt?: string
  readonly iot?: string
  readonly dynamodb?: string
  readonly sqs?: string
  /** Paths of PEM files. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  readonly ca?: string
  readonly stack: string
  /** Of the table names. */
  readonly prefix: string
  readonly patienceMs: number
}

/** The same with the URLs that every trial needs. */
export type PlacedCommand = SmokeCommand & { readonly data: string; readonly mqtt: string }

const MQTT_PORT = 8883

/** @throws BackendError `unreachable` if IoT Core does not answer, or there are no credentials to ask it with */
export async function placesOf(command: SmokeCommand): Promise<PlacedCommand> {
  const { region, iot, certificate } = command
  const data = command.data ?? `https://${await dataEndpointOf({ endpoint: iot, region, credentials: await credentialsFor(region, iot) })}`
  const { hostname } = new URL(data)
  const mqtt = command.mqtt ?? (certificate === undefined ? `wss://${hostname}/mqtt` : `mqtts://${hostname}:${MQTT_PORT}`)
  return { ...command, data, mqtt }
}

/** What a connection by WebSocket needs: a signature of its own, which is valid for 5 minutes. */
export async function signedWith({ mqtt, region }: PlacedCommand): Promise<IClientOptions> {
  if (!/^wss?:/.test(mqtt)) return {}
  const credentials = await credentialsFor(region, mqtt)
  const url = await presigned(mqtt, { credentials, region, service: 'iotdevicegateway', at: new Date() })
  return { transformWsUrl: () => url }
}

/** The credentials that every SDK client would find. */
async function credentialsFor(region: string, endpoint: string | undefined): Promise<Credentials> {
  const client = new IoTDataPlaneClient({ region, ...localCredentials(endpoint) })
  try {
    return await client.config.credentials()
  } catch (error) {
    throw new BackendError('unreachable', refusalOf(error, { endpoint, region }, 'IoT Core') ?? (error as Error).message)
  } finally {
    client.destroy()
  }
}

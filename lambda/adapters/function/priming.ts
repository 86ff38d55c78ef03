/**
 * Priming: while Lambda initializes a function, clients like its own send one request each over a fake connection that answers. So V8 compiles
 * and the SDK prepares at load what the first event would else pay for. No network is used, and a failure is ignored.
 */
import { Agent } from 'node:http'
import { Duplex } from 'node:stream'
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { GetRetainedMessageCommand, type IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'

/** Make clients whose endpoint is any http: URL: its name is never looked up. */
export interface PrimedClients {
  readonly dynamodb: (httpAgent: Agent) => DynamoDBClient
  /** Only for a hook whose events all call the data plane: else it costs more than it saves. */
  readonly iot: ((httpAgent: Agent) => IoTDataPlaneClient) | undefined
}

/** Resolves when both are done, also if they failed. */
export async function prime({ dynamodb, iot }: PrimedClients): Promise<void> {
  await Promise.allSettled([primeDynamoDb(dynamodb), iot && primeDataPlane(iot)])
}

const ROW = '{"Attributes":{"topic":{"S":"t"},"MsgId":{"SS":["M"]},"seq":{"N":"1"}}}'

async function primeDynamoDb(clientOn: PrimedClients['dynamodb']): Promise<void> {
  const client = clientOn(answering('200 OK', ROW))
  await client.send(new UpdateItemCommand({ TableName: 'primed', Key: { topic: { S: 't' } } }))
  client.destroy()
}

async function primeDataPlane(clientOn: NonNullable<PrimedClients['iot']>): Promise<void> {
  const client = clientOn(answering('404 Not Found', '{}'))
  await client.send(new GetRetainedMessageCommand({ topic: 't' })).catch(() => undefined)
  client.destroy()
}

/** An agent whose connections give every request the same answer, without a socket. */
function answering(status: string, body: string): Agent {
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/x-amz-json-1.0', 'x-amzn-errortype: ResourceNotFoundException']
  const response = `${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  return Object.assign(new Agent({ keepAlive: true }), { createConnection: () => new Answering(response) })
}

class Answering extends Duplex {
  constructor(response: string) {
    super({
      read() {},
      write(_chunk, _encoding, done) {
        done()
        // The request is complete in its first write: head and body are small, and sent as one.
        this.push(response)
      },
    })
  }
  // What http asks of a socket.
  readonly connecting = false
  setTimeout = () => this
  setNoDelay = () => this
  setKeepAlive = () => this
  ref = () => this
  unref = () => this
}

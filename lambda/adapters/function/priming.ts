/**
 * Priming: while Lambda initializes a function, clients like its own send a request each to a connection that answers by itself. What V8
 * compiles and what the SDK works out once is then paid at load, not by the first event. There is no network in it, and it fails in silence.
 */
import { Agent } from 'node:http'
import { Duplex } from 'node:stream'
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { GetRetainedMessageCommand, type IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'

/** Of clients whose endpoint is any http: URL: nobody looks its name up. */
export interface PrimedClients {
  readonly dynamodb: (httpAgent: Agent) => DynamoDBClient
  /** Where each event asks the data plane: elsewhere it would cost more than it saves. */
  readonly iot: ((httpAgent: Agent) => IoTDataPlaneClient) | undefined
}

/** Resolves when it is done, whatever came of it. */
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

/** An agent whose connections answer every request the same, without a socket. */
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

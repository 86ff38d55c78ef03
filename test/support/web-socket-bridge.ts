/** MQTT over WebSocket as IoT Core offers it, before a broker that speaks TCP: a connection that is not signed is refused with 403. RFC 6455. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface Bridge {
  /** `ws://127.0.0.1:<port>/mqtt` */
  readonly url: string
  /** Connections that were let in, and those that were not. */
  readonly counts: { accepted: number; refused: number }
  close(): Promise<void>
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const BINARY = 0x2
const CLOSE = 0x8

export async function webSocketBridge(mqttUrl: string, isSigned: (path: string, host: string) => Promise<boolean>): Promise<Bridge> {
  const counts = { accepted: 0, refused: 0 }
  const open = new Set<Socket>()
  const server = createServer()
  server.on('upgrade', async ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    open.add(socket)
    if (headers['sec-websocket-protocol'] !== 'mqtt' || !(await isSigned(url, headers.host ?? ''))) {
      counts.refused++
      return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    }
    counts.accepted++
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    join(socket, connect(Number(new URL(mqttUrl).port), '127.0.0.1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`,
    counts,
    close: () => {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function join(socket: Socket, broker: Socket): void {
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.length)
      if (frame.opcode === CLOSE) broker.end()
      else broker.write(frame.payload)
    }
  })
  broker.on('data', (chunk: Buffer) => socket.write(framed(BINARY, chunk)))
  // 1000: as it should be
  broker.on('close', () => socket.end(framed(CLOSE, Buffer.from([0x03, 0xe8]))))
  for (const [one, other] of [
    [socket, broker],
    [broker, socket],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.end())
  }
}

/** The first whole frame of what a client sent: masked, its length in 7, 16 or 64 bits. */
function frameOf(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start + 4) return undefined
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const length = start + 4 + size
  if (bytes.length < length) return undefined
  const mask = bytes.subarray(start, start + 4)
  const payload = Buffer.from(bytes.subarray(start + 4, length).map((byte, i) => byte ^ mask[i % 4]!))
  return { opcode: bytes[0]! & 0x0f, payload, length }
}

function framed(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

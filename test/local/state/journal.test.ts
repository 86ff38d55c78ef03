import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RetainedMessages } from '../../../local/mqtt/retained-messages.ts'
import { Queue } from '../../../local/sqs/queue.ts'
import { makeDataDirectory } from '../../../local/state/data-directory.ts'
import { openJournal, readJournal } from '../../../local/state/journal.ts'
import { type Entry, KeptState } from '../../../local/state/kept-state.ts'

let dataDir: string
const file = () => join(dataDir, 'iot-core.jsonl')
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

/** Nobody closes it: that is how a killed process leaves it. */
const open = () => openJournal(dataDir)
const queueOf = ({ append: journal }: ReturnType<typeof open>, maxReceiveCount = 1) => {
  const deadLetters = new Queue({ name: 'd', arn: 'arn:aws:sqs:us-west-2:0:d', retryAfterMs: 1, journal })
  const redrivePolicy = { maxReceiveCount, deadLetters }
  return new Queue({ name: 'q', arn: 'arn:aws:sqs:us-west-2:0:q', retryAfterMs: 1, redrivePolicy, journal })
}
const bodies = (kept: KeptState) => [...kept.waiting.values()].map(({ body }) => body)

describe('I1: what a killed run had accepted', () => {
  test('delayed, in flight or waiting: it is there, under its id, in the order of sending', () => {
    const queue = queueOf(open())
    queue.send('"in flight"')
    const [record] = queue.receive(1)
    queue.send('"delayed"', 60_000)
    queue.send('"waiting"')
    queue.close()
    const { kept } = open()
    expect(bodies(kept)).toEqual(['"in flight"', '"delayed"', '"waiting"'])
    expect([...kept.waiting.keys()][0]).toBe(record!.messageId)
  })

  test('I4: it is received once more, not for the first time: an earlier try may have left a lease', () => {
    const queue = queueOf(open(), 9)
    queue.send('"tried"')
    queue.receive(1)
    queue.close()
    const journal = open()
    const again = queueOf(journal, 9)
    for (const message of journal.kept.waiting.values()) again.restore(message)
    expect(again.receive(1)[0]!.attributes.ApproximateReceiveCount).toBe('2')
    expect([...open().kept.waiting.values()]).toMatchObject([{ receives: 2 }])
  })

  test('handled: it is not there', () => {
    const queue = queueOf(open())
    queue.send('"done"')
    queue.done(queue.receive(1)[0]!.receiptHandle)
    expect(bodies(open().kept)).toEqual([])
  })

  test('a dead letter: it is one, with its reason, until it is redriven', () => {
    const journal = open()
    const queue = queueOf(journal)
    queue.send('"dead"')
    queue.failed(queue.receive(1)[0]!.receiptHandle, 'boom')
    const { kept } = open()
    expect(bodies(kept)).toEqual([])
    expect([...kept.deadLetters.values()]).toMatchObject([{ queue: 'q', body: '"dead"', receives: 1, reason: 'boom' }])

    const later = queueOf(open())
    for (const letter of kept.deadLetters.values()) later.restoreDeadLetter(letter)
    expect(later.deadLetters).toMatchObject([{ body: '"dead"', reason: 'boom' }])
    // As a redrive does: sent, then deleted.
    later.send('"dead"')
    const { deadLetters } = later.options.redrivePolicy!
    deadLetters.done(deadLetters.receive(1)[0]!.receiptHandle)
    const redriven = open().kept
    expect([bodies(redriven), redriven.deadLetters.size]).toEqual([['"dead"'], 0])
  })

  test('retained messages with all they carry, and a deletion', () => {
    const properties = {
      user: [['k', 'v']] as [string, string][],
      contentType: 'x/y',
      utf8: false,
      responseTopic: 'answers/1',
      correlationData: Buffer.from([0, 1, 255]),
    }
    const message = { topic: 'r/1', payload: Buffer.from([0, 255]), qos: 1 as const, retain: true, properties }
    const retained = new RetainedMessages(open().append)
    retained.apply(message, 123)
    retained.apply({ ...message, topic: 'r/2' }, 124)
    retained.apply({ ...message, topic: 'r/2', payload: Buffer.alloc(0) }, 125)
    const again = new RetainedMessages()
    again.restore(open().kept.retained.values())
    expect(again.all(200)).toEqual([{ message, lastModifiedTime: 123 }])
  })
})

const sent: Entry = { did: 'sent', queue: 'q', id: '1', at: 10, body: '"x"' }

test('who was connected is known, and when that was last known', () => {
  const { append } = open()
  append({ did: 'connected', clientid: 'a', session: 's', version: 3, at: 20 })
  append({ did: 'connected', clientid: 'b', session: 't', version: 0, at: 30 })
  append({ did: 'disconnected', clientid: 'b', at: 40 })
  const { kept } = open()
  expect(kept.clients.get('a')).toEqual({ session: 's', version: 3, connectedAt: 20 })
  expect(kept.clients.get('b')).toEqual({ session: 't', version: 0, connectedAt: 30, disconnectedAt: 40 })
  expect(kept.lastAt).toBe(40)
})

test('a line that its writer did not live to finish is none: nobody was told of it', () => {
  open().append(sent)
  appendFileSync(file(), '{"did":"sent","queue":"q","id":"2","at":11,"bo')
  const { kept, append } = open()
  expect(bodies(kept)).toEqual(['"x"'])
  append({ did: 'left', id: '1', at: 12 })
  expect(bodies(open().kept)).toEqual([])
})

test('applying an entry twice changes nothing', () => {
  const entries: Entry[] = [sent, { did: 'died', id: '1', at: 11, receives: 1, reason: 'r' }]
  const [once, twice] = [new KeptState(), new KeptState()]
  for (const entry of entries) {
    once.apply(entry)
    twice.apply(entry)
    twice.apply(entry)
  }
  expect(twice).toEqual(once)
})

test('what no longer matters is left out at the next start', () => {
  const { append } = open()
  for (let i = 0; i < 100; i++) {
    append({ ...sent, id: `${i}` })
    append({ did: 'left', id: `${i}`, at: 11 })
  }
  append({ ...sent, id: 'kept' })
  open()
  expect(readFileSync(file(), 'utf8').trim().split('\n')).toHaveLength(1)
  expect(readJournal(dataDir)).toEqual([{ ...sent, id: 'kept' }])
})

test('a closed journal takes no more', () => {
  const journal = open()
  journal.close()
  journal.append(sent)
  expect(readJournal(dataDir)).toEqual([])
})

test('refuses a line in the middle that it cannot read, and does not quote it', () => {
  writeFileSync(file(), '{"did":"left","id":"1","at":1}\nsecret\n')
  expect(open).toThrow(/cannot read .*iot-core\.jsonl:2: a line of 6 characters, wanted/)
})

test('retained messages are limited in bytes; clearing one makes room', () => {
  const message = (topic: string, length: number) => ({
    topic,
    payload: Buffer.alloc(length, 'x'),
    qos: 1 as const,
    retain: true,
    properties: {},
  })
  const retained = new RetainedMessages(undefined, 250)
  expect(retained.apply(message('a', 200), 1)).toBe(true)
  expect(retained.apply(message('b', 100), 1)).toBe(false)
  expect(retained.apply(message('a', 250), 2)).toBe(true)
  expect(retained.apply(message('a', 0), 3)).toBe(true)
  expect(retained.apply(message('b', 100), 4)).toBe(true)
  expect(retained.all(5).map(({ message: { topic } }) => topic)).toEqual(['b'])
})

describe("payloads are their owner's alone", () => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  let victim: string
  beforeEach(() => {
    victim = join(dataDir, 'victim')
    writeFileSync(victim, 'precious')
  })

  test('the journal and the directories, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const fresh = join(dataDir, 'a', 'b')
      await makeDataDirectory(fresh)
      openJournal(fresh)
      expect([fresh, join(fresh, 'dynamodb'), join(fresh, 'iot-core.jsonl')].map(modeOf)).toEqual(['700', '700', '600'])
    } finally {
      process.umask(umask)
    }
  })

  test('a link planted under the name of the new journal is removed, its target is not touched', () => {
    symlinkSync(victim, `${file()}.new`)
    open().append(sent)
    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(bodies(open().kept)).toEqual(['"x"'])
  })

  test('refuses a link in the place of the journal', () => {
    symlinkSync(victim, file())
    expect(open).toThrow(/cannot read .*iot-core\.jsonl: it is a symbolic link, wanted a file/)
    expect(readFileSync(victim, 'utf8')).toBe('precious')
  })

  test("refuses a link in the place of the tables' directory", async () => {
    const elsewhere = join(dataDir, 'elsewhere')
    symlinkSync(elsewhere, join(dataDir, 'dynamodb'))
    await expect(makeDataDirectory(dataDir)).rejects.toThrow(/dynamodb is a file or a link, wanted a directory$/)
    expect(existsSync(elsewhere)).toBe(false)
  })
})

test('I1: a full disk: who appends is told first, and gets an error: nothing is acknowledged', () => {
  const program = `
    import { openJournal } from './local/state/journal.ts'
    const { append } = openJournal(process.argv[1], ({ message }) => console.log(message))
    try {
      for (let at = 1; ; at++) append({ did: 'left', id: 'x'.repeat(500), at })
    } catch (error) {
      console.log(error.code)
    }`
  // A file of at most 16 or 32 blocks of 512 bytes stands for a full disk.
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', program, dataDir]
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' }
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 16; exec "$0" "$@"', ...node], { encoding: 'utf8', env })
  expect(stdout).toMatch(new RegExp(`^cannot write ${file()}: EFBIG: .*\\ndata-dir\\n$`))
  // The half line at the end is no entry.
  expect(readJournal(dataDir).every(({ did }) => did === 'left')).toBe(true)
})

test('refuses an entry that says too little, with its line', () => {
  writeFileSync(file(), '{"did":"left","id":"a","at":1}\n{"did":"retained"}\n')
  expect(open).toThrow(`cannot read ${file()}:2: it says "retained" and not of what`)
})

import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startChild } from '../../../local/child-process.ts'
import { javaVersion } from '../../../local/dynamodb/local.ts'
import { checkJars } from '../../../local/dynamodb/local-jars.ts'

const LOCAL = join(import.meta.dirname, '..', '..', '..', 'local')

describe('the Java it needs', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "21" 2023-09-19', 21],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25-ea" 2025-09-16', 25],
    ['The operation couldn’t be completed. Unable to locate a Java Runtime.', undefined],
  ])('reads %j as %j', (said, version) => {
    expect(javaVersion(said)).toBe(version)
  })

  it.each([
    ['no java', undefined],
    ['an old java', '#!/bin/sh\necho \'java version "1.8.0_402"\' >&2\n'],
  ])('refuses, without docker, a machine with %s, in one line', async (_, java) => {
    const bin = await mkdtemp(join(tmpdir(), 'bin-'))
    if (java !== undefined) await writeFile(join(bin, 'java'), java, { mode: 0o755 })
    const program = join(bin, 'program.mts')
    await writeFile(
      program,
      `import { dynamoDbLocalCommand } from ${JSON.stringify(join(LOCAL, 'dynamodb', 'local.ts'))}
       dynamoDbLocalCommand().catch(({ name, code, message }) => console.log(JSON.stringify({ name, code, message })))`,
    )
    const env = { ...process.env, PATH: bin }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], { env })
    expect(JSON.parse(stdout)).toEqual({
      name: 'BackendError',
      code: 'DYNAMODB_LOCAL_NO_JAVA',
      message: expect.stringMatching(/^DynamoDB Local needs Java 17 or newer.*got (no java on the PATH|java 8)$/),
    })
    await rm(bin, { recursive: true })
  })
})

describe('its process', () => {
  /** `kill -0`: whether there is such a process. */
  const runs = (pid: number) => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }
  const gone = async (pid: number) => {
    for (let i = 0; i < 50 && runs(pid); i++) await sleep(20)
    return !runs(pid)
  }
  /** Prints its process id, then stays. */
  const STAYS = ['sh', '-c', 'echo $$; exec sleep 600']

  it('ends when it is stopped; stopping twice is stopping once', async () => {
    const child = startChild({ command: STAYS })
    await sleep(100)
    await Promise.all([child.stop(), child.stop()])
    expect(await gone(Number(await child.ended))).toBe(true)
  })

  it('tells when and why it ended by itself', async () => {
    const child = startChild({ command: ['sh', '-c', 'echo out of luck >&2; exit 3'] })
    expect(await child.ended).toBe('out of luck')
    await child.stop()
  })

  it('has its clean-up run, with arguments as they are', async () => {
    const directory = await mkdtemp(join(tmpdir(), "it's-"))
    const left = join(directory, 'left behind')
    await writeFile(left, '')
    await startChild({ command: ['true'], onStop: ['rm', left] }).stop()
    await expect(rm(left)).rejects.toMatchObject({ code: 'ENOENT' })
    await rm(directory, { recursive: true })
  })

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('ends when its owner, with its whole process group, ends by %s', async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'owner-'))
    const pidFile = join(directory, 'pid')
    const program = join(directory, 'owner.mts')
    await writeFile(
      program,
      `import { promisify } from 'node:util'
import { startChild } from ${JSON.stringify(join(LOCAL, 'child-process.ts'))}
       startChild({ command: ['sh', '-c', 'echo $$ > "$0"; exec sleep 600', ${JSON.stringify(pidFile)}] })`,
    )
    // Of its own group, as a shell starts it: what Ctrl-C in a terminal reaches.
    const owner = spawn(process.execPath, ['--import', 'tsx', program], { detached: true, stdio: 'ignore' })
    const pid = await written(pidFile)
    expect(runs(pid)).toBe(true)
    process.kill(-owner.pid!, signal)
    expect(await gone(pid)).toBe(true)
    await rm(directory, { recursive: true })
  })
})

async function written(file: string): Promise<number> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return Number(text)
    await sleep(20)
  }
}

describe('what is downloaded', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jars-'))
    await writeFile(join(directory, 'a.jar'), 'a')
  })
  afterEach(() => rm(directory, { recursive: true }))
  const A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'

  it('is run as it was tried', async () => {
    await checkJars(directory, { 'a.jar': A })
  })

  it.each([
    ['a changed file', { 'a.jar': A.replace('c', 'd') }, /a\.jar has SHA-256 ca97.*, wanted d/],
    ['a file more', {}, /the download has a\.jar, which version .* did not have/],
    ['a file less', { 'a.jar': A, 'b.jar': A }, /the download lacks b\.jar/],
  ])('is refused with %s', async (_, checksums, said) => {
    await expect(checkJars(directory, checksums)).rejects.toMatchObject({
      code: 'DYNAMODB_LOCAL_CHECKSUM',
      message: expect.stringMatching(said),
    })
  })
})

/**
 * Amazon's DynamoDB Local, the reference for DynamoDB's semantics on this machine: a Java program or a docker image.
 * The Java program listens on **all interfaces** (it has no option for that) and checks neither credentials nor Host: a line says so.
 * All keys and regions share one set of tables (`-sharedDb`).
 */
import { execFile } from 'node:child_process'
import { BackendError } from '../../lambda/core/errors.ts'
import { hostnameOf, urlOf } from '../address.ts'
import { type ChildCommand, startChild } from '../child-process.ts'
import { freePort } from '../free-port.ts'
import { ownPost } from '../own-request.ts'
import type { DynamoDbEngine } from './engine.ts'
import { DYNAMODB_LOCAL_VERSION, dynamoDbLocalJars } from './local-jars.ts'

export interface DynamoDbLocalOptions {
  /** Where clients reach it. Only in docker it listens on that address alone. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Gets progress lines; default: standard error. */
  readonly log?: (line: string) => void
}

const SERVER = ['-inMemory', '-sharedDb', '-disableTelemetry']
const JAVA_OPTIONS = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const LOG4J_QUIET = '-Dorg.apache.logging.log4j.simplelog.StatusLogger.level=OFF'
const START_TIMEOUT_MS = 30_000
const JAVA_WANTED = 17
const toStderr = (line: string) => process.stderr.write(`${line}\n`)

/**
 * @throws BackendError DYNAMODB_LOCAL_NO_JAVA, DYNAMODB_LOCAL_NO_MAVEN, DYNAMODB_LOCAL_DOWNLOAD, DYNAMODB_LOCAL_CHECKSUM,
 *   DYNAMODB_LOCAL_START, each with one line that says what is missing
 */
export async function startDynamoDbLocal(options: DynamoDbLocalOptions): Promise<DynamoDbEngine> {
  const command = await dynamoDbLocalCommand(options.log ?? toStderr)
  const port = options.port === 0 ? await freePort() : options.port
  const child = startChild(command(port, options.host))
  const url = urlOf('http', options.host, port)
  try {
    await answers(url, child.ended)
  } catch (error) {
    await child.stop()
    throw error
  }
  return { name: 'local', url, close: child.stop }
}

/** How to start it: with Java and the jars (downloaded if they are missing), else with docker. Throws as {@link startDynamoDbLocal}. */
export async function dynamoDbLocalCommand(log: (line: string) => void = toStderr): Promise<(port: number, host: string) => ChildCommand> {
  try {
    await checkJava()
    const jars = await dynamoDbLocalJars(log)
    const main = 'software.amazon.dynamodb.services.local.main.ServerRunner'
    const java = ['java', ...JAVA_OPTIONS, LOG4J_QUIET, `-Djava.library.path=${jars}`, '-cp', `${jars}/*`, main, ...SERVER]
    return (port) => {
      log(`DynamoDB Local listens on port ${port} of all interfaces, whatever --host says, and checks no credentials`)
      return { command: [...java, '-port', `${port}`] }
    }
  } catch (error) {
    if (!(await dockerAnswers())) throw error
    const image = `amazon/dynamodb-local:${DYNAMODB_LOCAL_VERSION}`
    return (port, host) => {
      const name = `dynamodb-local-${process.pid}-${port}`
      const address = host === 'localhost' ? '127.0.0.1' : hostnameOf(host)
      const run = ['docker', 'run', '--rm', '--name', name, '-p', `${address}:${port}:8000`, image, '-jar', 'DynamoDBLocal.jar', ...SERVER]
      return { command: run, onStop: ['docker', 'rm', '-f', name] }
    }
  }
}

async function checkJava(): Promise<void> {
  const said = await output('java', ['-version'])
  const version = said === undefined ? undefined : javaVersion(said)
  if (version !== undefined && version >= JAVA_WANTED) return
  const got = said === undefined ? 'no java on the PATH' : `java ${version ?? 'of an unknown version'}`
  throw new BackendError('DYNAMODB_LOCAL_NO_JAVA', `DynamoDB Local needs Java ${JAVA_WANTED} or newer, or a running docker; got ${got}`)
}

/** The feature release that `java -version` reports: 17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_402"`. */
export function javaVersion(said: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(said)
  return match ? Number(match[1]) : undefined
}

/** A docker command is often there without an engine behind it: only an engine that answers counts. */
const dockerAnswers = async () => (await output('docker', ['info', '--format', '{{.ServerVersion}}'], 3_000)) !== undefined

/** What the program printed (both streams), or undefined if it is missing, fails or takes too long. */
function output(program: string, args: string[], timeoutMs = 10_000): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: timeoutMs }, (error, stdout, stderr) => resolve(error ? undefined : stdout + stderr))
  })
}

async function answers(url: string, ended: Promise<string>): Promise<void> {
  let death: string | undefined
  ended.then((said) => {
    death = said
  })
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && death === undefined) {
    // It answers a request without signature with 400 at once. That shows that it runs.
    const up = await ownPost(url, {}, '', 2_000).then(
      () => true,
      () => false,
    )
    // Another program may answer on this port, while ours has just failed to bind it.
    if (up && death === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const why = death === undefined ? `no answer within ${START_TIMEOUT_MS / 1000} s` : `it ended: ${death}`
  throw new BackendError('DYNAMODB_LOCAL_START', `DynamoDB Local did not start on ${url}: ${why}`)
}

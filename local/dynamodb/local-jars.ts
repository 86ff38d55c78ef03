/** DynamoDB Local's jars from Maven Central, downloaded once into the cache. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'
import { CACHE } from '../cache-directory.ts'
import { JAR_CHECKSUMS } from './local-jars-checksums.ts'

/** Needs Java 17. 3.3.1 is newer, but names SDK artifacts that Maven Central did not have (November 2026). */
export const DYNAMODB_LOCAL_VERSION = '3.1.0'

const JARS = join(CACHE, 'dynamodb-local')
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>dynamodb-local</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId><version>${DYNAMODB_LOCAL_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`

/**
 * The directory of jars, downloaded (about 48 MB, with Maven) if it is not there yet. Any number of processes may ask at once:
 * each downloads into a directory of its own and the first to finish renames it into place.
 * @param log gets one line when a download begins
 * @throws BackendError DYNAMODB_LOCAL_NO_MAVEN, DYNAMODB_LOCAL_DOWNLOAD, DYNAMODB_LOCAL_CHECKSUM
 */
export async function dynamoDbLocalJars(log: (line: string) => void): Promise<string> {
  const jars = join(JARS, DYNAMODB_LOCAL_VERSION)
  if (existsSync(jars)) return jars
  await mkdir(JARS, { recursive: true })
  const work = await mkdtemp(join(JARS, 'download-'))
  try {
    log(`downloading DynamoDB Local ${DYNAMODB_LOCAL_VERSION} with Maven (once) ...`)
    await writeFile(join(work, 'pom.xml'), POM)
    await copyDependencies(work)
    await checkJars(join(work, 'lib'), JAR_CHECKSUMS)
    await rename(join(work, 'lib'), jars).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(jars)) throw error // else another process was first
    })
    return jars
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * What is downloaded is run only if every file is the one that was tried, and no other is there.
 * @throws BackendError DYNAMODB_LOCAL_CHECKSUM
 */
export async function checkJars(directory: string, checksums: Readonly<Record<string, string>>): Promise<void> {
  const refusal = (what: string) => new BackendError('DYNAMODB_LOCAL_CHECKSUM', `DynamoDB Local: ${what}; nothing of the download is kept`)
  const there = await readdir(directory)
  const stranger = there.find((name) => !Object.hasOwn(checksums, name))
  if (stranger !== undefined) throw refusal(`the download has ${stranger}, which version ${DYNAMODB_LOCAL_VERSION} did not have`)
  for (const [name, wanted] of Object.entries(checksums)) {
    if (!there.includes(name)) throw refusal(`the download lacks ${name}`)
    const got = createHash('sha256')
      .update(await readFile(join(directory, name)))
      .digest('hex')
    if (got !== wanted) throw refusal(`${name} has SHA-256 ${got}, wanted ${wanted}`)
  }
}

function copyDependencies(directory: string): Promise<void> {
  const options = ['-B', '-q', COPY_DEPENDENCIES, '-DoutputDirectory=lib', '-DincludeScope=runtime']
  return new Promise((resolve, reject) => {
    const maven = spawn('mvn', options, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString()
    }
    maven.stdout.on('data', keep)
    maven.stderr.on('data', keep)
    maven.on('error', () => reject(new BackendError('DYNAMODB_LOCAL_NO_MAVEN', 'DynamoDB Local: Java is there but Maven (mvn) is not')))
    maven.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new BackendError('DYNAMODB_LOCAL_DOWNLOAD', `DynamoDB Local: Maven's download ended with ${code}: ${firstError(output)}`))
    })
  })
}

const firstError = (output: string): string => /\[ERROR\] (.{1,300})/.exec(output)?.[1] ?? 'it said nothing'

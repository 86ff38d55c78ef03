/** What `npm run platforms` tries on a version of Node. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Platform } from './platform.ts'
import type { TrialName } from './platforms-flags.ts'
import { tryStart } from './start-trial.ts'
import { ROOT, run } from './tarball.ts'

/** Why a trial says nothing of us. */
export class Skipped extends Error {}

/** Returns what is worth saying, if anything. @throws Skipped, or Error with what failed */
type Trial = (platform: Platform, app: string, tarball: string) => Promise<string | undefined>

const START = ['npx', '--no-install', 'mqtt-dynamodb', 'start']
const SYNTH_SECONDS = 15
const OLDEST_CDK = 'aws-cdk-lib@2.270.0'
/** Of Debian and others: nobody owns nothing, so modes bind it. */
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

const started = async ({ PATH }: Platform, folder: string, home: string): Promise<string> =>
  `ready after ${await tryStart(folder, START, { PATH, HOME: home })} ms`

export const TRIALS: Readonly<Record<TrialName, Trial>> = {
  async install(platform, app, tarball) {
    writeFileSync(join(app, 'package.json'), '{ "private": true }')
    await platform.run(app, 'npm', 'install', tarball)
    return `npm ${(await platform.run(app, 'npm', '--version')).trim()}`
  },
  start: (platform, app) => started(platform, app, homeOf(app)),
  again: (platform, app) => started(platform, app, homeOf(app)),
  async demo(platform, app) {
    await platform.run(app, 'npx', '--no-install', 'mqtt-dynamodb', 'demo')
    return undefined
  },
  async template(platform, app) {
    const out = join(platform.folder('template'), 'stack')
    await platform.run(app, 'npx', '--no-install', 'mqtt-dynamodb', 'template', '--out', out)
    JSON.parse(readFileSync(join(out, 'template.json'), 'utf8'))
    return undefined
  },
  app: synthesizes,
  home: readOnlyHome,
  async pnpm(platform, _, tarball) {
    const app = appOf(platform, 'pnpm')
    const peers = ['aws-cdk-lib', 'constructs']
    await platform.run(app, 'pnpm', 'add', '--ignore-scripts', tarball, ...peers)
    return `pnpm ${(await platform.run(app, 'pnpm', '--version')).trim()}, ${await started(platform, app, homeOf(app))}`
  },
  yarn: yarnInstalls,
  async tests({ run: runThere, PATH }) {
    if (!existsSync(join(ROOT, 'node_modules', 'jest'))) throw new Skipped('npm ci was not run here')
    const printed = await runThere(ROOT, 'sh', '-c', `PATH="${PATH}" npm run -s test:fast -- --maxWorkers=1 2>&1`)
    return /^Tests: +(.*)$/m.exec(printed)?.[1]
  },
}

const homeOf = (app: string): string => {
  const home = join(app, 'home')
  mkdirSync(home, { recursive: true })
  return home
}

const appOf = (platform: Platform, name: string): string => {
  const app = platform.folder(name)
  writeFileSync(join(app, 'package.json'), '{ "private": true }')
  return app
}

async function synthesizes(platform: Platform, installed: string, tarball: string): Promise<string> {
  const app = join(platform.folder('init'), 'app')
  await platform.run(installed, 'npx', '--no-install', 'mqtt-dynamodb', 'init', app)
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
  manifest.dependencies['mqtt-dynamodb'] = `file:${tarball}`
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
  await platform.run(app, 'npm', 'install')
  await platform.run(app, 'npx', '--no-install', 'tsc')
  const began = Date.now()
  await platform.run(app, 'npx', '--no-install', 'cdk', 'synth', '--quiet')
  const seconds = (Date.now() - began) / 1000
  if (seconds > SYNTH_SECONDS) throw new Error(`synthesized in ${seconds.toFixed(1)} s, wanted ${SYNTH_SECONDS} at most`)
  return `synthesized in ${seconds.toFixed(1)} s`
}

/** Root may write whatever the mode says, so root starts it as nobody. */
async function readOnlyHome(platform: Platform, app: string): Promise<string> {
  const home = platform.folder('home')
  chmodSync(home, 0o555)
  const isRoot = process.getuid?.() === 0
  const command = [...(isRoot ? NOBODY : []), 'node', join(app, 'node_modules', 'mqtt-dynamodb', 'bin', 'mqtt-dynamodb.js'), 'start']
  if (isRoot) await reachable(platform, command.slice(0, NOBODY.length))
  const ready = await tryStart(app, command, { PATH: platform.PATH, HOME: home })
  if (readdirSync(home).length > 0) throw new Error(`it wrote ${readdirSync(home).join(', ')} into a home of mode 0555`)
  return `as ${isRoot ? 'nobody' : 'who runs this'}, ready after ${ready} ms`
}

async function reachable(platform: Platform, as: readonly string[]): Promise<void> {
  const [program, ...args] = as
  await platform.run('/', program!, ...args, 'node', '--version').catch(() => {
    throw new Skipped('this is root, whom modes do not bind, and setpriv cannot start Node as nobody here')
  })
}

/** yarn also looks for packages that aws-cdk-lib brings inside of itself: where it finds none of a newer CDK, an older one is taken. */
async function yarnInstalls(platform: Platform, _: string, tarball: string): Promise<string> {
  const app = appOf(platform, 'yarn')
  const add = (folder: string, ...packages: string[]) => platform.run(folder, 'yarn', 'add', '--silent', '--ignore-scripts', ...packages)
  const newest = `aws-cdk-lib@${(await run(app, 'npm', 'view', 'aws-cdk-lib', 'version')).trim()}`
  const fault = await faultOf(add(app, tarball, newest, 'constructs'))
  if (fault !== undefined) {
    if ((await faultOf(add(appOf(platform, 'yarn alone'), newest))) === undefined) throw new Error(fault)
    await add(app, tarball, OLDEST_CDK, 'constructs')
  }
  const version = (await platform.run(app, 'yarn', '--version')).trim()
  const held = `yarn ${version} with ${fault === undefined ? newest : OLDEST_CDK}, ${await started(platform, app, homeOf(app))}`
  return fault === undefined ? held : `${held}; ${newest} alone is refused, too: ${fault}`
}

/** Why yarn refuses to install, in a line. */
const faultOf = (installing: Promise<unknown>): Promise<string | undefined> =>
  installing.then(
    () => undefined,
    ({ message }: Error) => /error (.*)/.exec(message)?.[1] ?? message,
  )

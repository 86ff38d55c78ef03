import { type EngineDesk, openEngineDesk } from './engine-desk.ts'
import { DESK_VARIABLE, ENGINES_VARIABLE } from './engine-names.ts'

declare global {
  var engineDesk: EngineDesk | undefined
}

export default async function globalSetup(): Promise<void> {
  const desk = await openEngineDesk((line) => process.stderr.write(`${line}\n`), process.env[ENGINES_VARIABLE])
  globalThis.engineDesk = desk
  process.env[DESK_VARIABLE] = desk.url
  process.env[ENGINES_VARIABLE] = desk.engines.join(',')
  // Ten lines per test file, about a Node version that the README speaks of.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
}

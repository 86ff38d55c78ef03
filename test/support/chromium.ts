/** A real Chromium of the machine. Where there is none, the tests that need one are skipped, and a line says so. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`)
const CHROMIUM = PROGRAMS.find((program) => existsSync(program))
export const hasChromium = CHROMIUM !== undefined
if (!hasChromium) process.stderr.write('no Chromium in /usr/bin: the tests of pages in a browser are skipped\n')

/** Without its sandbox, which root does not get: it opens our own pages only. */
export const startChromium = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] })

/** The licences of the packages that are bundled: their authors ask that the text goes with the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { ROOT } from './places.ts'

export interface Bundled {
  readonly name: string
  readonly version: string
  readonly license: string
  /** Undefined where the package has no such file. */
  readonly text: string | undefined
}

const FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//

/** The packages whose code is in the bundles, by name. */
export function bundledPackages(metafiles: readonly Metafile[]): Bundled[] {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs))
  const folders = new Set(inputs.flatMap((input) => FOLDER.exec(input)?.[1] ?? []))
  return [...folders].map(packageIn).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function packageIn(folder: string): Bundled {
  const { name, version, license = 'none said' } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const file = readdirSync(join(ROOT, folder)).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry))
  const text = file === undefined ? undefined : readFileSync(join(ROOT, folder, file), 'utf8').trim()
  return { name, version, license: typeof license === 'string' ? license : license.type, text }
}

/** Each text once, with the packages that it is of. */
export function noticeOf(packages: readonly Bundled[]): string {
  const texts = new Map<string, Bundled[]>()
  for (const one of packages) {
    const text = one.text ?? `Licensed under ${one.license}.`
    texts.set(text, [...(texts.get(text) ?? []), one])
  }
  const parts = [...texts].map(
    ([text, of]) => `${of.map(({ name, version, license }) => `${name} ${version} (${license})`).join('\n')}\n\n${text}`,
  )
  const line = `\n\n${'-'.repeat(80)}\n\n`
  return `The functions' code and the command line of this package contain these packages.${line}${parts.join(line)}\n`
}

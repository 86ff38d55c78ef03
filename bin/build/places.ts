/** Where the build reads and writes. `dist` mirrors the repository: each file lies there where its source lies here. */
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')
export const DIST = join(ROOT, 'dist')

/** The path below the repository, with `/`. */
export const nameOf = (file: string): string => relative(ROOT, file).replaceAll('\\', '/')

/** `x.shipped.ts`, where it is there, stands in the package in the place of `x.ts`. */
export function shipped(file: string): string {
  const variant = file.replace(/\.ts$/, '.shipped.ts')
  return existsSync(variant) ? variant : file
}

/** The file that an import of `importer` names. */
export const imported = (importer: string, path: string): string => resolve(dirname(importer), path)

/** Keeps what can be made again: DynamoDB Local, synthesized assemblies. In a checkout inside of it, so that packages are found from there. */
import { join } from 'node:path'

export const CACHE = join(import.meta.dirname, '..', '.cache')

/** Keeps what can be made again: DynamoDB Local, synthesized assemblies. It lies in the checkout, where Node finds packages. */
import { join } from 'node:path'

export const CACHE = join(import.meta.dirname, '..', '.cache')

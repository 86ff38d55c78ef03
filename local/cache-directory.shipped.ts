/** In the package: below the user's home, because the package's own folder may be read-only or gone tomorrow. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export const CACHE = join(homedir(), '.cache', 'mqtt-dynamodb')

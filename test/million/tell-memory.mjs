// Loaded before a command: at its end the most memory that it had, in KB, stands in the file that TELL_MEMORY names.
import { writeFileSync } from 'node:fs'

process.on('exit', () => writeFileSync(process.env.TELL_MEMORY, `${process.resourceUsage().maxRSS}`))

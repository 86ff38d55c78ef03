/** `npm run api`: writes docs/api.md. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readApi } from './api-page.ts'
import { ROOT } from './places.ts'

writeFileSync(join(ROOT, 'docs', 'api.md'), readApi().page)

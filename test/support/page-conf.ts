/** The conf that the project comes with: the page's. */
import { join } from 'node:path'
import { readConf } from '../../lib/conf/conf-file.ts'

const PAGE_CONF = join(import.meta.dirname, '..', '..', 'etc', 'emqx_backend_dynamo.conf')

export const pageTable = () => readConf(PAGE_CONF).table

// TypeScript 7 has no compiler API, so esbuild strips the types for jest; `npm run types` checks them.
const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { transformSync, version } = require('esbuild')

const THIS_FILE = readFileSync(__filename, 'utf8')

module.exports = {
  process(source, path) {
    const define = { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      // jest runs CommonJS: the import() of a command's work becomes a require().
      supported: { 'dynamic-import': false },
      sourcemap: 'both',
      sourcefile: path,
      define,
    })
    return { code, map }
  },

  /** jest's own key would not see that this file has changed. */
  getCacheKey: (source, path) => createHash('sha256').update([version, THIS_FILE, path, source].join('\0')).digest('hex'),
}

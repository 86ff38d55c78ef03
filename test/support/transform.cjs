// TypeScript 7 has no compiler API, so esbuild strips the types for jest; `npm run types` checks them.
const { transformSync } = require('esbuild')

module.exports = {
  process(source, path) {
    const define = { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'both',
      sourcefile: path,
      define,
    })
    return { code, map }
  },
}

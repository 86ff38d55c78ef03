/** In the package: the programs of new threads lie beside the code, as `npm run build` made them. */
export const plainFile = async (program: string): Promise<string> => program.replace(/\.ts$/, '.cjs')

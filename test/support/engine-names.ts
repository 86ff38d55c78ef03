/** `maps`: in the suite's own process, for `npm run test:fast` (maps-engine.ts). The others are DynamoDB. */
export type EngineName = 'local' | 'embedded' | 'maps'

/** Set for the test files: where the desk listens. */
export const DESK_VARIABLE = 'TEST_ENGINE_DESK'
/** Set by whoever wants only some engines, and for the test files: which there are (comma separated). */
export const ENGINES_VARIABLE = 'TEST_ENGINES'

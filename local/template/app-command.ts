/** How Node runs the CDK app, from the folder above this one's. In a checkout it is TypeScript. */
export const APP_COMMAND: readonly string[] = ['--import', 'tsx', 'bin/app.ts']

/** In the package the CDK app is JavaScript. */
export const APP_COMMAND: readonly string[] = ['bin/app.js']

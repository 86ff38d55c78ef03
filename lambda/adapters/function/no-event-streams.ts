/**
 * Empty. esbuild puts this file in place of the SDK's event streams (`lib/pipeline/hook-bundles.ts`), which no operation of DynamoDB or of
 * the IoT data plane has. Without that dynamic import esbuild need not wrap shared modules in functions.
 */
export {}

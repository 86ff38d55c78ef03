/** An error as the IoT data plane reports it: status, `x-amzn-errortype` and a JSON body. */
const STATUS = {
  InvalidRequestException: 400,
  ForbiddenException: 403,
  ResourceNotFoundException: 404,
  MethodNotAllowedException: 405,
  RequestEntityTooLargeException: 413,
  ThrottlingException: 429,
  InternalFailureException: 500,
  GatewayTimeoutException: 504,
} as const

export class DataPlaneError extends Error {
  readonly type: keyof typeof STATUS

  constructor(type: keyof typeof STATUS, message: string) {
    super(message)
    this.name = type
    this.type = type
  }

  get status(): number {
    return STATUS[this.type]
  }
}

/** Runs a check that throws, and answers with its error as the client's fault. */
export function asRequestCheck(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw new DataPlaneError('InvalidRequestException', (error as Error).message)
  }
}

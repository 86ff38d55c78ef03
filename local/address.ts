/** Addresses that the local run listens on, and the URLs by which it is reached. */
import { isIPv6 } from 'node:net'
import { BackendError } from '../lambda/core/errors.ts'

/** Addresses that mean all interfaces, each with the address by which this machine reaches it. */
const ALL_INTERFACES: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }

/** The URL by which this machine reaches a server on a host and a port. It ends without a slash. */
export function urlOf(scheme: 'http' | 'mqtt', host: string, port: number): string {
  const name = hostnameOf(host)
  return `${scheme}://${ALL_INTERFACES[name] ?? name}:${port}`
}

/** Characters of a host: none of them begins another part of a URL. */
const NAME = /^[^\s/@:?#\\%[\]]+$/

/** A host as it stands in a URL: `[::1]` for `::1`. @throws BackendError `host` */
export function hostnameOf(host: string): string {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}/`
  if ((isIPv6(host) || NAME.test(host)) && URL.canParse(url)) return new URL(url).hostname
  throw new BackendError('host', `--host is ${JSON.stringify(host)}, wanted an address or a host name, without a port and a zone`)
}

/** Whether only programs on this machine reach it. */
export const isLoopback = (host: string): boolean => isLoopbackName(hostnameOf(host))

/** The same of a name as it stands in a URL. */
export const isLoopbackName = (hostname: string): boolean => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/**
 * The ports are open to every program on this machine, a browser included. So that no web page reads or changes anything, requests
 * are refused that a page of another origin makes, and requests to a name that is not ours (DNS rebinding: the page's own name).
 */
import type { IncomingMessage } from 'node:http'
import { hostnameOf, isLoopbackName } from './address.ts'

/** Why a request to a server that listens on `host` is refused; undefined if it is not. */
export function foreignRequest({ headers, socket }: IncomingMessage, host: string): string | undefined {
  const asked = nameIn(headers.host)
  if (asked === undefined || !isOurs(asked, host, socket.localAddress))
    return `Host is ${JSON.stringify(headers.host ?? '')}, wanted localhost, a loopback address or the address of --host`
  const { origin } = headers
  if (origin !== undefined && origin.toLowerCase() !== `http://${headers.host}`.toLowerCase())
    return `Origin is ${JSON.stringify(origin)}: a web page of another origin is not let in`
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') return `Sec-Fetch-Site is ${site}: a web page of another origin is not let in`
  return undefined
}

function nameIn(hostHeader: string | undefined): string | undefined {
  const url = `http://${hostHeader ?? ''}/`
  return hostHeader !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined
}

/** An address cannot be rebound: the one that the request came to is ours. */
function isOurs(name: string, host: string, localAddress = ''): boolean {
  const ipv4 = localAddress.replace(/^::ffff:/, '')
  return isLoopbackName(name) || name === hostnameOf(host) || name === ipv4 || name === `[${localAddress}]`
}

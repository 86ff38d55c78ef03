import { hostnameOf, isLoopback, urlOf } from '../../local/address.ts'

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['localhost', 'http://localhost:80'],
  ['::1', 'http://[::1]:80'],
  ['fe80::1', 'http://[fe80::1]:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://[::1]:80'],
  ['0:0:0:0:0:0:0:0', 'http://[::1]:80'],
  ['my-laptop.lan', 'http://my-laptop.lan:80'],
])('what listens on %s is reached at %s', (host, url) => {
  expect(urlOf('http', host, 80)).toBe(url)
})

test.each(['127.0.0.1', '127.1.2.3', 'localhost', 'a.localhost', '::1', '0:0:0:0:0:0:0:1'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['0.0.0.0', '::', '192.168.1.5', 'localhost.example', 'example.com'])('%s is not', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test.each(['a b', 'fe80::1%eth0', 'http://x', 'x:80', '', '[', 'user@x'])('refuses the host %j in one line', (host) => {
  expect(() => hostnameOf(host)).toThrow(/^--host is ".*", wanted an address or a host name, without a port and a zone$/)
})

// Which IP addresses are somebody's on the public internet: all others are ours, a neighbour's, or nobody's.
import { BlockList, isIP, SocketAddress } from 'node:net'

/** IANA's special-purpose registry of IPv4 (RFC 6890), and what else is no host that serves strangers. */
const REFUSED_4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // behind a carrier's NAT; a cloud's metadata at 100.100.100.200
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // Azure's platform, on an address that looks public
  ['169.254.0.0', 16], // link-local; most clouds' metadata at 169.254.169.254
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; a cloud's metadata at 192.0.0.192
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarking
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
]
/** What IANA gives out to hosts (RFC 4291); so loopback, mapped, compatible, NAT64, local and multicast are out of it. */
const GLOBAL_6: readonly [network: string, prefix: number] = ['2000::', 3]
const REFUSED_6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23], // protocol assignments: Teredo, benchmarking, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which holds an address of IPv4
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
]

const refused = new BlockList()
for (const [network, prefix] of REFUSED_4) refused.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of REFUSED_6) refused.addSubnet(network, prefix, 'ipv6')
const hosts = new BlockList()
hosts.addSubnet(GLOBAL_6[0], GLOBAL_6[1], 'ipv6')
/** RFC 5214: an interface that stands for an address of IPv4, behind any prefix. */
const ISATAP = /:(?:0|200)?:5efe:/

/**
 * The address in its one spelling, if it belongs to one host on the public internet; otherwise null, also for texts that
 * are no address of four numbers or eight groups, and for addresses with a zone.
 */
export function publicAddress(text: string): string | null {
  const family = isIP(text)
  if (family === 0 || text.includes('%')) return null
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  const { address } = new SocketAddress({ address: text, family: kind })
  if (refused.check(address, kind)) return null
  if (family === 4) return address
  return hosts.check(address, kind) && !ISATAP.test(address) ? address : null
}

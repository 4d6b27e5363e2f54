/**
 * Which addresses may be connected to: public ones, and the ranges that an operator names. A name that a client gives may resolve
 * to anything, so what counts is the address, not the name: this machine, its network and its cloud's metadata are not asked.
 */
import { BlockList, isIP } from 'node:net';

export interface AddressRules {
  /** False for what is no address, and for every address that is not public and in no range that was named. */
  allows(address: string): boolean;
}

export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** IANA's special-purpose registry, multicast, and the address at which Azure's machines find their metadata. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;

/**
 * Only 2000::/3 is global unicast: loopback, mapped and compatible IPv4, NAT64 (64:ff9b::), unique local, link-local and multicast
 * lie outside. Within it: Teredo and other protocol assignments, documentation, 6to4, which carry IPv4 addresses or nobody's.
 */
const GLOBAL_V6 = '2000::/3';
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'] as const;

/** `10.1.0.0/16`, `fd00::/8` or one address. Null for anything else. */
export function parseRange(text: string): AddressRange | null {
  const [address, bits, ...more] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return null;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix > most ? null : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** `ranges` as parseRange takes them; what it does not take allows nothing. */
export function createAddressRules(ranges: readonly string[]): AddressRules {
  const named = listOf(ranges);
  const special = listOf([...SPECIAL_V4, ...SPECIAL_V6]);
  const global = listOf([GLOBAL_V6]);
  return {
    allows(address) {
      const version = address.includes('%') ? 0 : isIP(address);
      if (version === 0) return false;
      const family = version === 4 ? 'ipv4' : 'ipv6';
      if (named.check(address, family)) return true;
      // The list would look into a mapped address; those are refused as they are.
      return (version === 4 || global.check(address, family)) && !special.check(address, family);
    },
  };
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges.map(parseRange)) if (range) list.addSubnet(range.address, range.prefix, range.family);
  return list;
}

// Finding a market by what people write: “BTC/USDT”, “btc-usdt”, “bitcoin”, “ether”, “okx btc”. Pure. Each word has to be found in the
// market's name, its base's full name or its venue's; separators and case count for nothing.
import { baseOf } from './decode';

/** Full names of what trades most. A name that is missing here costs its word, not its ticker. */
const NAMES: Readonly<Record<string, string>> = {
  BTC: 'bitcoin xbt',
  ETH: 'ethereum ether',
  SOL: 'solana',
  BNB: 'binance coin',
  XRP: 'ripple',
  DOGE: 'dogecoin',
  ADA: 'cardano',
  AVAX: 'avalanche',
  TRX: 'tron',
  LINK: 'chainlink',
  DOT: 'polkadot',
  MATIC: 'polygon',
  POL: 'polygon',
  LTC: 'litecoin',
  BCH: 'bitcoin cash',
  SHIB: 'shiba inu',
  UNI: 'uniswap',
  ATOM: 'cosmos',
  XLM: 'stellar',
  ETC: 'ethereum classic',
  FIL: 'filecoin',
  NEAR: 'near protocol',
  APT: 'aptos',
  ARB: 'arbitrum',
  OP: 'optimism',
  SUI: 'sui',
  TON: 'toncoin',
  HYPE: 'hyperliquid',
  PEPE: 'pepe',
  AAVE: 'aave',
  INJ: 'injective',
  XMR: 'monero',
  ALGO: 'algorand',
  HBAR: 'hedera',
  ICP: 'internet computer',
  VET: 'vechain',
  STX: 'stacks',
  IMX: 'immutable',
  RUNE: 'thorchain',
  MKR: 'maker',
  LDO: 'lido',
  CRV: 'curve',
  EOS: 'eos',
  XTZ: 'tezos',
  SAND: 'sandbox',
  MANA: 'decentraland',
  GRT: 'the graph',
  FTM: 'fantom',
  SEI: 'sei',
  TIA: 'celestia',
  WLD: 'worldcoin',
  JUP: 'jupiter',
  ENA: 'ethena',
  ONDO: 'ondo',
  FET: 'fetch artificial superintelligence',
  RENDER: 'render',
  KAS: 'kaspa',
  PAXG: 'gold',
  XAU: 'gold',
  XAG: 'silver',
  WIF: 'dogwifhat',
  BONK: 'bonk',
  FLOKI: 'floki',
};

export interface Named {
  instrument: string;
  symbol: string;
  venue: string;
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Quotes that are a base of their own name nothing; a contract of a thousand coins is named after the coin. */
function nameOf(base: string): string {
  return NAMES[base] ?? NAMES[base.replace(/^1000+/, '')] ?? '';
}

/** The full name of a market's base, for where it is shown; empty where none is known. */
export function fullName(symbol: string): string {
  const name = nameOf(baseOf(symbol).toUpperCase()).replace(/ (xbt|ether)$/, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What of a market is compared, made once for each. */
interface Names {
  base: string;
  bare: string;
  symbol: string;
  whole: string;
  venue: string;
  full: readonly string[];
}

const known = new WeakMap<Named, Names>();

function namesOf(market: Named): Names {
  const old = known.get(market);
  if (old !== undefined) return old;
  const base = plain(baseOf(market.symbol));
  const full = nameOf(baseOf(market.symbol).toUpperCase()).split(' ');
  const names = { base, bare: base.replace(/^1000+/, ''), symbol: plain(market.symbol), whole: plain(market.instrument), venue: plain(market.venue), full: full.filter((name) => name !== '') };
  known.set(market, names);
  return names;
}

/** How well a market fits what is searched for: 0 is its very name, greater fits less, `null` not at all. */
export function matcher(query: string): (market: Named) => number | null {
  const words = wordsOf(query);
  if (words.length === 0) return () => 0;
  return (market) => {
    const names = namesOf(market);
    let worst = 0;
    for (const word of words) {
      const fit = fitOf(word, names);
      if (fit === null) return null;
      // A venue narrows down; it says nothing against the market that was named beside it.
      if (fit !== VENUE || words.length === 1) worst = Math.max(worst, fit);
    }
    return worst;
  };
}

const VENUE = 4;

function fitOf(word: string, { base, bare, symbol, whole, venue, full }: Names): number | null {
  if (word === base || word === symbol || word === whole || word === bare) return 0;
  if (word.length > 1 && full.includes(word)) return 1;
  if (base.startsWith(word) || bare.startsWith(word) || symbol.startsWith(word)) return 2;
  if (word.length > 2 && full.some((name) => name.startsWith(word))) return 3;
  if (venue.startsWith(word)) return VENUE;
  return whole.includes(word) || symbol.includes(word) ? 5 : null;
}

/** “btc-usdt”, “BTC/USDT” and “binance-usdm:BTCUSDT” are one word each. */
function wordsOf(query: string): string[] {
  return query
    .split(/[\s,;]+/)
    .map(plain)
    .filter((word) => word !== '');
}

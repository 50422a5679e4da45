#!/usr/bin/env bash
# Writes docs/scorecard.md: the scorecard of the book `default` over the built-in history and over every recorded set beside the
# repository that has prices for it: the longest at length with a picture of each in docs/scorecard and the contest, the others in a few
# lines. What is left out is named at the end. Run from the project's root:
#   docs/scorecard.sh [PROGRAM] > docs/scorecard.md
# A set that is not there is left out, and the page says so.
set -eu -o pipefail
program=${1:-target/release/barograph}
data=../shared/data
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

cat <<'PAGE'
# Scorecard: was it right?

What the book `default` said over recorded history, held against what came. Written by `docs/scorecard.sh`; anybody with the same files gets
the same page. How it is counted: [verification](spec/verification.md). `barograph scorecard` shows the same of your own data.

Every number can be made again from an exported ledger with tools of others:
[a notebook](../crates/python/tests/test_scorecard_notebook.py) does so for the first set and runs with the tests.

How to read it: *windows* are cases that do not overlap, which is how much evidence there is. *Skill* is against persistence, the frequency
with which the event followed the state it was in: volatility clusters, so that is the hurdle worth taking. Bands are 90 %. "Better"
stands with the day on which it was decided: a 95 % confidence sequence of the whole ledger, which holds however often one looks, rose above
zero; "better so far" and "worse so far" are what the band says before that. Where the page says "no skill shown" or "worse", the probability is
worth no more, or less, than looking at the present state. Probabilities begin once a label has 100 resolved forecasts and 30 separate windows.

PAGE

mkdir -p docs/scorecard

# name of the picture, title, note, then what `barograph collect` takes
set_of() {
  local name=$1 title=$2 note=$3
  shift 3
  local folder=$home/data
  rm -rf "$folder"
  printf '## %s\n\n%s\n\n' "$title" "$note"
  for word in "$@"; do
    case $word in "$data"/*) [ -e "$word" ] || { printf 'Left out: the recording is not here.\n\n'; return; } ;; esac
  done
  "$program" collect --data "$folder" "$@" >/dev/null 2>"$home/said" || { cat "$home/said" >&2; exit 1; }
  printf '![skill of every event, its reliability and its months](scorecard/%s.svg)\n\n```\n' "$name"
  "$program" scorecard --data "$folder" --window all --picture "docs/scorecard/$name.svg"
  printf '```\n\nThe contest over the same data ([what it is](contest.md)):\n\n```\n'
  "$program" contest --data "$folder" 2>"$home/said" || { cat "$home/said" >&2; exit 1; }
  printf '```\n\n'
}

# title, note, then what `barograph collect` takes, once or several times with + between: the events that got a probability, and the others in
# a sentence
short_of() {
  local title=$1 note=$2
  shift 2
  local folder=$home/data
  rm -rf "$folder"
  printf '### %s\n\n%s\n\n' "$title" "$note"
  for word in "$@"; do
    case $word in "$data"/*) [ -e "$word" ] || { printf 'Left out: the recording is not here.\n\n'; return; } ;; esac
  done
  local -a piece=()
  for word in "$@" +; do
    if [ "$word" != + ]; then piece+=("$word"); continue; fi
    "$program" collect --data "$folder" "${piece[@]}" >/dev/null 2>"$home/said" || { cat "$home/said" >&2; exit 1; }
    piece=()
  done
  "$program" scorecard --data "$folder" --market all --window all >"$home/card"
  awk '
    /^Scorecard of / { sub(/^Scorecard of the book default: /, ""); span = $0 }
    /^(alert|labels)[, ]/ { rows = 0 }
    /^event +window/ { head = $0; rows = 1; next }
    rows && /^[a-z]/ && $2 == "all" {
      if ($3 == 0) {
        none = $0
        sub(/^.*–  /, "", none)
        sub(/^no probability: |^not registered: /, "", none)
        if (!(none in of)) { order[++n] = none }
        of[none] = of[none] (of[none] == "" ? "" : ", ") "`" $1 "`"
      } else { shown[++m] = $0 }
    }
    END {
      printf "%s.", span
      if (m == 0) { printf " Too short for any probability." }
      for (i = 1; i <= n; i++) { printf "%s %s (%s)", i == 1 ? " None for" : ";", of[order[i]], order[i] }
      printf n ? ".\n\n" : "\n\n"
      if (m) { printf "```\n%s\n", head; for (i = 1; i <= m; i++) print shown[i]; printf "```\n\n" }
    }' "$home/card"
}

set_of built-in 'Built-in history: three markets by the hour, winter 2025/26' \
  'Hourly candles, settled funding, open interest of another venue; the fall of 5 February 2026 is in it.' --source testdata/history
set_of hours 'Three markets by the hour, 2023 to June 2026' 'Hourly candles and settled funding of Binance, open interest from December 2025.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/1h_2023_2026-06" \
  --source "$data/derivatives/funding_full_2019_2026" --source "$data/derivatives/oi_5m_2025-12_2026-06"
set_of five-minutes 'Bitcoin and Ether by five minutes, 2023 and 2024' 'Candles of Binance; no open interest, so squeeze and chop rules are left out.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/5m_usdm_2023_2024/btcusdt_5m.feather" \
  --source "$data/ohlcv/5m_usdm_2023_2024/ethusdt_5m.feather"
set_of minutes-2022 'Bitcoin by the minute, January 2022' 'Minute candles of a venue that is gone.' \
  --venue ftx --market perpetual --stamp close --source "$data/ohlcv/1m_2022-01"
set_of minutes-2025 'Minutes of 2025 and 2026' 'Minute candles of Binance, several markets and stretches.' --source "$data/ohlcv/1m_2025_2026"

cat <<'PAGE'
## Other recordings

Scored the same way, all markets of a set together; only events that got a probability have a line. A label needs 100 resolved forecasts and 30 separate
windows first, so a set of three weeks says something of one-hour events and little of those of a day.

PAGE

short_of 'Okx 2022: LUNA, 3AC, FTX' 'Three perpetuals by five minutes, May to December 2022; prices only.' \
  --venue okx --market perpetual --source "$data/ohlcv/5m_okx_2022_stress"
short_of 'Bitcoin spot by the hour since 2017' 'March 2020, May 2021 and the three falls of 2022 are in it; prices only.' \
  --venue binance-spot --market spot --source "$data/ohlcv/1h_spot_2017_2024"
short_of 'Half hours of 2023 to March 2026' 'Perpetuals of Binance with settled funding; the same months as the hours above, of the perpetual instead of spot.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/usdm_2023_2026/btcusdt_30m.parquet" \
  --source "$data/ohlcv/usdm_2023_2026/ethusdt_30m.parquet" --source "$data/derivatives/funding_full_2019_2026"
short_of 'Hours of September 2025 to March 2026' 'Perpetuals of Binance as the venue sends its klines; from December with settled funding and open interest.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/1h_usdm_full_klines_2025_2026" \
  --source "$data/derivatives/oi_5m_2025-12_2026-06"
short_of 'Bars of four hours, 2022 to March 2026' 'Bitcoin and Ether, perpetuals of Binance: enough for classes of daily volatility, for nothing shorter.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/4h_usdm_2022_2026"
multi=$data/derivatives/multi_venue_2025_2026
candles=time=timestamp,open=o,high=h,low=l,close=c,volume=v
short_of 'Hyperliquid by the hour, March and April 2025' 'Bitcoin and Ether of the recording of seven venues, whose candles of Hyperliquid are of six weeks; prices only.' \
  --venue hyperliquid --market perpetual --symbol BTC --columns "$candles" --where venue=Hyperliquid,coin=BTC --source "$multi/candles.parquet" + \
  --venue hyperliquid --market perpetual --symbol ETH --columns "$candles" --where venue=Hyperliquid,coin=ETH --source "$multi/candles.parquet"
short_of 'The crash of 10 October 2025, Binance' 'Bitcoin and Ether by five minutes, five weeks; prices only.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz" \
  --source "$data/ohlcv/5m_2025-10_crash/ethusdt_usdm_5m.json.gz"
short_of 'The crash of 10 October 2025, Bybit' 'Bitcoin by five minutes, a month; prices only.' \
  --venue bybit --market perpetual --source "$data/ohlcv/5m_2025-10_crash/btcusdt_bybit_perp_5m.feather"
short_of 'Minutes of July and August 2023' 'Three perpetuals of Binance, 30 to 45 days that end ten hours before the fall of 17 August; prices only.' \
  --venue binance-usdm --market perpetual --source "$data/ohlcv/1m_2023-07"
short_of 'The depeg of USDC, March 2023' 'Spot minutes of three weeks on Binance.US, Coinbase and Kraken, stablecoins among them.' \
  --venue binance-us --market spot --source "$data/ohlcv/1m_depeg_2023-03/binance_btcusdc_1m.parquet" \
  --source "$data/ohlcv/1m_depeg_2023-03/binance_btcusdt_1m.parquet" + \
  --market spot --source "$data/ohlcv/1m_depeg_2023-03/coinbase_btcusd_1m.parquet" \
  --source "$data/ohlcv/1m_depeg_2023-03/coinbase_usdtusd_1m.parquet" \
  --source "$data/ohlcv/1m_depeg_2023-03/kraken_btcusd_1m.parquet" --source "$data/ohlcv/1m_depeg_2023-03/kraken_usdcusd_1m.parquet"
short_of 'Bybit by fifteen minutes, May 2026' 'Nine days with funding and open interest.' \
  --venue bybit --market perpetual --symbol BTCUSDT --source "$data/derivatives/binance_bybit_15m_2026/bybit_funding.parquet" \
  --source "$data/derivatives/binance_bybit_15m_2026/bybit_oi_15m.parquet" + \
  --venue bybit --market perpetual --symbol BTCUSDT \
  --columns time=open_time,open=perp_open,high=perp_high,low=perp_low,close=perp_close,volume=perp_volume \
  --source "$data/derivatives/binance_bybit_15m_2026/bybit_perp_15m.parquet"

cat <<'PAGE'
## Left out

| recording | why |
|---|---|
| `ohlcv/1d_full_2019_2026` | bars of a day: no event has so few prices |
| `ohlcv/usdm_2023_2026`, hours | the half hours above are the same market and months |
| `derivatives/multi_venue_2025_2026`, other venues and coins | 33 markets of one year: two are shown, for the time it takes |
| `derivatives/hyperliquid_2023` | trades of some accounts are no price of a market, and the liquidations name no market; the only recorded liquidations of a venue over weeks, so `alert_cascade_1h` is scored on live data alone |
| `derivatives/event_2025-10-10`, `onchain_liquidations`, daily sums of liquidations | no price, or liquidations of another kind of market |
| `derivatives` by themselves: funding, open interest, mark prices | no price often enough, or the mark of a market whose trades are here; funding of many years is left out where prices are of weeks, because the ledger would reach as far |
| `raw`, `book_trades` | seconds to hours of messages: no window of an event is longer than the warm-up |
| `onchain`, `context`, `vectors` | no market |
PAGE

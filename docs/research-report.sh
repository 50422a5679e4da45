#!/usr/bin/env bash
# Writes docs/research-report.md: what the models reach on every recorded book set, held against what was promised (research §8). Run from
# the project's root:
#   docs/research-report.sh [PROGRAM [DATA]] > docs/research-report.md
# DATA is the folder of the recordings, ../shared/data without it; a set that is not there is left out, and the page says so. Lakes and
# studies are kept in REPORT_HOME where that is set, so that a run which was stopped goes on; else they are thrown away.
set -eu -o pipefail
program=${1:-target/release/barograph}
data=${2:-../shared/data}
if [ -n "${REPORT_HOME:-}" ]; then
  home=$REPORT_HOME
  mkdir -p "$home"
else
  home=$(mktemp -d)
  trap 'rm -rf "$home"' EXIT
fi
targets='dir_1s dir_5s dir_30s dir_1m dir_5m'

cat <<'PAGE'
# Research report: what is reached

The goals of the fifth original over every recorded order book beside the repository. Written by `docs/research-report.sh`; anybody with the same
files gets the same page. What each goal means exactly: [research §8](spec/research.md). How a study is made: [the lab](lab.md).
XGBoost, CatBoost and AutoGluon on the folds of one of these days: [the lab from Python](lab/python.md#xgboost-catboost-autogluon).

How to read it: *n* are test rows, *n_eff* those whose windows do not overlap (UTC days for a Sharpe ratio, whose n are round trips). *Measured* is
the mean AUC of the folds, the annual Sharpe ratio after costs, or macro F1; *against* is one half, zero, or the macro F1 of persistence. The band
is 90 %; that of `vol_regime_fwd` is of the distance from persistence. *Days to settle it* is how much recording like this one would shrink the band
enough to tell the goal from nothing: an AUC of 0.55 from one half, a Sharpe ratio of 2 from zero, a macro F1 that is 0.02 better from one that is not.
It reckons with errors that fall as the root of the time, and says nothing of whether the goal would be reached. Where there is no band it is how long
one takes, and for an AUC how long until so many windows that do not overlap have one so narrow. A dash there: what was recorded has settled it, whatever it
says, or nothing was measured to reckon from.

The model is the first on the board that learns, of `linear` and `gbm` with the preset `quick`, seed 1. Where an AUC of the folds passes everything
else that is asked, the hold-out of that study, the last tenth of the time, is opened once, by its name in the research log, and counts. Any other
dash is a number that does not exist.

PAGE

# title, note, market, fee tier, settings of the study, then the recordings
set_of() {
  local title=$1 note=$2 market=$3 fee=$4 settings=$5
  shift 5
  local folder=$home/${market//:/-}-$(basename "$1" | tr -c 'A-Za-z0-9\n' '-')
  printf '## %s\n\n%s\n\n' "$title" "$note"
  for file in "$@"; do
    [ -e "$file" ] || { printf 'Left out: the recording is not here.\n\n'; return; }
  done
  if [ ! -d "$folder/lake/silver" ]; then
    "$program" lab dataset "$market" --source "$@" --lake "$folder/lake" >"$folder.said" 2>&1 || { cat "$folder.said" >&2; exit 1; }
  fi
  local refused=''
  for target in $targets vol_regime_fwd; do
    local study=(--target "$target" --lake "$folder/lake" --studies "$folder/studies" $settings)
    local money=()
    [ "$target" = vol_regime_fwd ] || money=(--fee "$fee")
    if ! "$program" lab train "$market" "${study[@]}" "${money[@]}" --model linear --model gbm >/dev/null 2>"$home/said"; then
      refused+="- \`$target\`: $(sed -n 's/^barograph: //p' "$home/said" | head -1)"$'\n'
      continue
    fi
    [ "$target" = vol_regime_fwd ] && continue
    for model in gbm linear; do
      "$program" lab backtest "$market" "${study[@]}" --model "$model" --fee "$fee" >/dev/null 2>"$home/said" && break
    done
  done
  # What is left to be asked of a study that has passed everything else.
  for target in $targets; do
    if "$program" lab goals "$market" --lake "$folder/lake" --studies "$folder/studies" --json | grep "\"goal\":\"$target\"" \
      | grep -q '"misses":\["the hold-out was not opened"\]'; then
      "$program" lab hold-out "$market" --target "$target" --lake "$folder/lake" --studies "$folder/studies" $settings \
        --question "Is the AUC of $target above 0.55 on rows that no choice has seen?" >/dev/null
    fi
  done
  "$program" lab goals "$market" --lake "$folder/lake" --studies "$folder/studies" --markdown
  "$program" lab goals "$market" --lake "$folder/lake" --studies "$folder/studies" --json | sed "s|^|$title\t|" >>"$home/all"
  printf '\n'
  [ -z "$refused" ] || printf 'Not fitted, in the words of the program:\n\n%s\n' "$refused"
}

# What was recorded and holds no fold of even the shortest target: how much of it there is, and the words of the program.
short_of() {
  local what=$1 market=$2 said states='–' rows='–'
  shift 2
  local folder=$home/short-${market//:/-}-$(basename "$1" | tr -c 'A-Za-z0-9\n' '-')
  for file in "$@"; do
    [ -e "$file" ] || { printf '| %s | `%s` | – | – | the recording is not here |\n' "$what" "$market"; return; }
  done
  rm -rf "$folder"
  if "$program" lab dataset "$market" --source "$@" --lake "$folder/lake" --json >"$home/said" 2>"$home/refused"; then
    states=$(sed -n 's/.*"books":\([0-9]*\).*/\1/p' "$home/said")
    rows=$(sed -n 's/.*"rows":\([0-9]*\).*/\1/p' "$home/said")
    if "$program" lab train "$market" --target dir_1s --lake "$folder/lake" --studies "$folder/studies" $short --model linear >/dev/null 2>"$home/refused"; then
      echo "$what of $market is long enough for a study of dir_1s: give it a set of its own" >&2
      exit 1
    fi
  fi
  said=$(sed -n 's/^barograph: //p' "$home/refused" | head -1)
  [ "$rows" = 0 ] && said='not one whole second was recorded'
  printf '| %s | `%s` | %s | %s | %s |\n' "$what" "$market" "$states" "$rows" "${said//"$data"\//}"
  echo "$market" >>"$home/short"
}

: >"$home/all"
: >"$home/short"
hft=$data/raw/hftbacktest
short='--folds 5 --embargo 10s --rows-min 50'
few='Minutes of one evening. Features look back up to half an hour, so with an embargo of 10 s instead of an hour rows on both sides of a block share
what they look back on: what is learnt here is a trial of the machine more than of the market.'
set_of 'Apple, 21 June 2012 (NASDAQ, one level)' 'A whole session of an exchange for shares: messages and the best level behind each. Fees are what a
taker pays there for a share, in basis points of the price of that day. The settings are the defaults.' \
  nasdaq:AAPL take-fee=0.05 '' "$data/book_trades/lobster_2012-06-21/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"
set_of 'Amazon, 21 June 2012 (NASDAQ, five levels)' 'The same session, five levels a side.' \
  nasdaq:AMZN take-fee=0.14 '' "$data/book_trades/lobster_2012-06-21/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
set_of 'Bitcoin on Bitstamp, 1 May 2015 (order by order)' 'Hours of a market of eleven years ago, whose mid seldom moves within seconds.' \
  bitstamp:BTCUSD 2015=25 '' "$data/book_trades/bitstamp_l3_2015-05-01/orders.csv.xz"
set_of 'Bitcoin, Binance USD-M, 18 and 19 July 2024' "$few" binance-usdm:BTCUSDT VIP0=5 "$short" \
  "$hft/binance-usdm_btcusdt_20240718.gz" "$hft/binance-usdm_btcusdt_20240719.gz"
set_of 'Bitcoin, Binance USD-M, 8 August 2024' "$few" binance-usdm:BTCUSDT VIP0=5 "$short" "$hft/binance-usdm_btcusdt_20240808.gz"
set_of 'Ether, Binance USD-M, 8 August 2024' "$few" binance-usdm:ETHUSDT VIP0=5 "$short" "$hft/binance-usdm_ethusdt_20240808.gz"
inverse="$few Gains are counted as those of a contract settled in quote, which this one is not."
set_of 'Bitcoin, Binance COIN-M, 8 and 9 August 2024' "$inverse" binance-coinm:BTCUSD_PERP VIP0=5 "$short" \
  "$hft/binance-coinm_btcusd_perp_20240808.gz" "$hft/binance-coinm_btcusd_perp_20240809.gz"
set_of 'Ether, Binance COIN-M, 8 August 2024' "$inverse" binance-coinm:ETHUSD_PERP VIP0=5 "$short" "$hft/binance-coinm_ethusd_perp_20240808.gz"
set_of 'Bitcoin, Binance spot, 8 and 9 August 2024' "$few" binance-spot:BTCUSDT VIP0=10 "$short" \
  "$hft/binance-spot_btcusdt_20240808.gz" "$hft/binance-spot_btcusdt_20240809.gz"
set_of 'Ether, Binance spot, 8 August 2024' "$few" binance-spot:ETHUSDT VIP0=10 "$short" "$hft/binance-spot_ethusdt_20240808.gz"
deep=$data/book_trades/binance_5min_20260216
set_of 'Bitcoin, Binance USD-M, 16 February 2026' "$few" binance-usdm:BTCUSDT VIP0=5 "$short" "$deep/lobdeep_btc_fut.parquet" "$deep/trades_btc_fut.parquet"
set_of 'Bitcoin, Binance spot, 16 February 2026' "$few" binance-spot:BTCUSDT VIP0=10 "$short" "$deep/lobdeep_btc_spot.parquet" "$deep/trades_btc_spot.parquet"

cat <<'PAGE'
## Too short for a fold

Every other recording of an order book. *States* are those of the book, *rows* the seconds made of them; no study of `dir_1s`, the shortest target, with the
settings of minutes above can be fitted on any of them, in the words of the program.

| recording | market | states | rows | why no study |
|---|---|---:|---:|---|
PAGE
feeds=$data/raw/cryptofeed archives=$data/raw/archives
for symbol in NKNUSDT BLZETH LRCBTC RUNEEUR; do short_of 'cryptofeed, 12 October 2021' "binance-spot:$symbol" "$feeds/binance.jsonl.zst"; done
for symbol in SUSHIUSDT AKROUSDT KEEPUSDT CTKUSDT; do short_of 'cryptofeed, 22 July 2021' "binance-usdm:$symbol" "$feeds/binance_futures.jsonl.zst"; done
for symbol in BTCUSDT ETHUSDT SOLUSDT DOGEUSDT; do short_of 'cryptofeed, 9 August 2026' "bybit:$symbol" "$feeds/bybit.jsonl.zst"; done
for symbol in BTC-USD ETH-USD; do short_of 'cryptofeed, 9 August 2026' "coinbase:$symbol" "$feeds/coinbase.jsonl.zst"; done
for symbol in BTC-USDT UNI-USD-SWAP BTC-USD-220527; do short_of 'cryptofeed, 13 May 2022' "okx:$symbol" "$feeds/okx.jsonl.zst"; done
short_of 'hftbacktest, 26 January 2025' hyperliquid:BTC "$hft/hyperliquid_btc_20250126.gz"
short_of 'Bybit, archive of 500 levels' bybit:XRPUSDT "$archives/xrpusdt-ob500.data.zip"
short_of 'Tardis, snapshots of 5 levels' binance-usdm:BTCUSDT "$archives/binance-futures_book_snapshot_5_BTCUSDT.csv"
short_of 'Tardis, snapshots of 25 levels' binance-usdm:BTCUSDT "$archives/binance-futures_book_snapshot_25_BTCUSDT.csv"
printf '\n'

# What follows is reckoned from the lines above, whatever they are.
of() { grep -P "$1" "$home/all" || true; }
count() { of "$1" | wc -l; }
# `goal` of market (set), … of the lines that hold a pattern.
named() { of "$1" | sed 's/^\([^\t]*\)\t.*"market":"\([^"]*\)","goal":"\([^"]*\)".*/`\3` of \2 (\1)/' | paste -sd';' | sed 's/;/; /g'; }
days=$(of '"goal":"sharpe' | sed -n 's/.*"n_eff":\([0-9]*\).*/\1/p' | sort -n | tail -1)
reached=$(named '"reached":true')
traded=$(of '"goal":"sharpe' | grep -cv '"n":0,' || true)
cat <<PAGE
## In short

- Of $(count .) goals over $(cut -f1 "$home/all" | sort -u | wc -l) sets $(count '"reached":true') are reached${reached:+: $reached}.
- $(count '"value":[-0-9]') could be measured at all, $(count '"band":\[') with a band; of the $(count '"goal":"dir_.*"band":\[') bands of an AUC $(count '"goal":"dir_.*"band":\[(0\.[5-9]|1)') lie
  above one half.
- No back-test has more than ${days:-0} UTC days out of sample, and a Sharpe ratio takes 30: $(count '"goal":"sharpe.*"value":[-0-9]') are known. Of $traded back-tests that traded
  $(count '"goal":"sharpe.*a round trip makes') did not earn their costs.
- A macro F1 of \`vol_regime_fwd\` is known of $(count '"goal":"vol_regime_fwd".*"value":[-0-9]') sets; why not of the others stands under each.
- A hold-out was opened for $(count '"goal":"dir_(?!.*the hold-out was not opened)(?=.*"value":[-0-9])') studies of a direction; $(count '"goal":"dir_.*on the hold-out is not above') of them did not hold there.
- $(wc -l <"$home/short") further recordings are too short for a fold.

What is reached is reached for the time and the market that were recorded, and for no other.

PAGE
cat <<'PAGE'
## Left out

| recording | why |
|---|---|
| `raw/archives/btcusdt-depth-*`, `raw/binance-archiver` | updates without the snapshot that a book begins with, or snapshots without updates |
| `raw/cryptofeed`, Deribit | half a minute of options |
| `raw/fixtures` | single messages |
PAGE

//! The originals' tables, declared as all others are: the markets by their symbols, a wide row of each minute, settled rates and
//! single liquidations; and what the views of them read beside.

crate::schema::declare! {
    settings [since 10, 2] {
        name: Text PRIMARY KEY,
        value: Int NOT NULL,
    };

    table_markets [since 10] -- "markets as the tables name them" {
        instrument: Int PRIMARY KEY,
        name: Word NOT NULL -- "venue:symbol",
        venue: Text NOT NULL,
        exchange: Text NOT NULL -- "the venue without its segment",
        symbol: Symbol NOT NULL -- "BASE/QUOTE",
        kind: Text NOT NULL,
        spot_leg: Int -- "the spot market its basis is of",
        newest: Int -- "minute of its newest row",
        // By metric, where not the venue alone, JSON.
        sources: Text [since 11],
    }
    index table_markets_symbol "(symbol)" [since 10, 0];

    spellings [since 10, 0] -- "other ways to write a symbol; each is the name of an empty view too" {
        other: Symbol NOT NULL,
        symbol: Symbol NOT NULL,
    }
    key (other, symbol);

    market_rows [since 10] -- "every minute of the last hours, then every hour" {
        symbol: SymbolKey NOT NULL,
        ts: Time NOT NULL -- "UTC as datetime() writes it",
        instrument: Int NOT NULL,
        open: Real, high: Real, low: Real, close: Real, volume: Real, bar_s: Real,
        mark_price: Real, index_price: Real, premium_index: Real, funding_rate: Real, interval_h: Real,
        open_interest: Real, open_interest_usd: Real, best_bid: Real, best_ask: Real, last_price: Real,
        long_short_ratio: Real, top_trader_account_ratio: Real, top_trader_position_ratio: Real, taker_volume_ratio: Real,
    }
    key (symbol, ts, instrument);

    settlements [since 10] {
        symbol: SymbolKey NOT NULL,
        ts: Time NOT NULL,
        instrument: Int NOT NULL,
        rate: Real NOT NULL,
        interval_h: Real,
        next_ts: Time,
        special: Int NOT NULL,
        known_ts: Int NOT NULL,
    }
    key (symbol, ts, instrument);

    forced_closes [since 10] -- "single ones, of the last days" {
        symbol: SymbolKey NOT NULL,
        ts: Time NOT NULL,
        instrument: Int NOT NULL,
        liquidated_side: Word NOT NULL,
        price: Real NOT NULL,
        quantity: Real NOT NULL,
    }
    key (symbol, ts, instrument, liquidated_side, price, quantity);

    row_metrics [since 10, 0] {
        k: Int PRIMARY KEY,
        metric_name: Text NOT NULL,
    };
}

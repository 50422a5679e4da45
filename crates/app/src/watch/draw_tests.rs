//! Pictures of a known board, as text.

use super::*;
use crate::watch::state::tests::{board, snapshot};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

const NOW: i64 = 1_770_302_100_000;
const FRESH: BoardMoment = BoardMoment { now_ms: NOW, silent_s: None };

/// The lines of a picture, and whether anything in it has a colour.
fn picture(
    size: (u16, u16),
    board: &KnownBoard,
    view: &View,
    at: BoardMoment,
    palette: Palette,
) -> (Vec<String>, bool) {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let trouble = at.silent_s.map(|_| "no barograph answers");
    let address = "http://127.0.0.1:8600".to_owned();
    terminal.draw(|frame| draw(frame, &Picture { board, view, at, palette, address, trouble })).unwrap();
    let buffer = terminal.backend().buffer();
    let mut lines = vec![String::new(); usize::from(size.1)];
    for (at, cell) in buffer.content().iter().enumerate() {
        lines[at / usize::from(size.0)].push_str(cell.symbol());
    }
    let coloured = buffer.content().iter().any(|cell| cell.fg != Color::Reset);
    (lines.iter().map(|line| line.trim_end().to_owned()).collect(), coloured)
}

#[track_caller]
fn check(lines: &[String], parts: &[&str]) {
    let text = lines.join("\n");
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
}

#[test]
fn eighty_columns_hold_what_matters() {
    let (lines, coloured) = picture((80, 24), &board(), &View::default(), FRESH, Palette::Coloured);
    check(
        &lines,
        &[
            "barograph  http://127.0.0.1:8600                            2026-02-05 14:35:00Z",
            "2 markets · feeds 1 live, 1 lost · cascades 3 · vol 4 · alerts 1 · synthetic",
            "Changed in the last hour: SOL risk ○→⇥ 12 min ago",
            "› BTC/USDT",
            "HIGH_VOL ⚡",
            "SQUEEZE_RISK ⇥▼",
            "▅ 121 %",
            "▰▰▰▰▱",
            "stale 14 min",
            "s sort: risk",
        ],
    );
    assert!(coloured && lines[4].starts_with("› BTC") && lines[5].starts_with("  SOL"), "{lines:#?}");
    assert!(!lines[3].contains("last hour") && !lines[3].contains("held"), "{}", lines[3]);
    let (_, coloured) = picture((80, 24), &board(), &View::default(), FRESH, Palette::Plain);
    assert!(!coloured, "NO_COLOR");
}

#[test]
fn wide_terminals_show_all_and_narrow_ones_the_market_and_its_risk() {
    let (lines, _) = picture((120, 40), &board(), &View::default(), FRESH, Palette::Coloured);
    check(
        &lines,
        &[
            "last hour",
            "▁▅ █",
            "−0.0121 %",
            "margin",
            "held",
            "38 min",
            "−9.1 %",
            "cascades 24 h 3 · vol events 4 · open alerts 1",
        ],
    );
    let (lines, _) = picture((40, 10), &board(), &View::default(), FRESH, Palette::Coloured);
    check(&lines, &["market", "price", "risk", "HIGH_VOL ⚡"]);
    assert!(!lines[3].contains("funding"), "{}", lines[3]);
}

#[test]
fn silence_is_said_and_greys_everything() {
    let at = BoardMoment { now_ms: NOW, silent_s: Some(6) };
    let (lines, _) = picture((80, 24), &board(), &View::default(), at, Palette::Coloured);
    check(&lines, &["No data for 6 s, connecting again; numbers are old: no barograph answers", "HIGH_VOL ⚡"]);
    let table = ScreenTable::new(&board(), &View::default().rows(&board()), at, 120);
    assert!(table.lines.iter().flatten().all(|cell| cell.tone == Tone::Faint));
}

#[test]
fn nothing_to_show_is_explained() {
    let at = BoardMoment { now_ms: 0, silent_s: Some(1) };
    let (lines, _) = picture((80, 24), &KnownBoard::default(), &View::default(), at, Palette::Coloured);
    check(&lines, &["connecting to http://127.0.0.1:8600: no barograph answers; start one with:", "  barograph up"]);
    let view = View { filter: "doge".to_owned(), ..View::default() };
    let (lines, _) = picture((80, 24), &board(), &view, FRESH, Palette::Coloured);
    check(&lines, &["no market matches 'doge'; Esc clears the search"]);
    let mut none = board();
    none.rows.clear();
    let (lines, _) = picture((80, 24), &none, &View::default(), FRESH, Palette::Coloured);
    check(&lines, &["no market yet; record with: barograph up"]);
    let view = View { help: true, ..View::default() };
    let (lines, _) = picture((80, 24), &board(), &view, FRESH, Palette::Coloured);
    check(&lines, &["open the market", "quit"]);
}

#[test]
fn a_market_says_why_and_what_would_change_it() {
    let mut board = board();
    let view = View { page: WatchPage::Market("binance-usdm:BTCUSDT".to_owned()), ..View::default() };
    let (lines, _) = picture((80, 40), &board, &view, FRESH, Palette::Coloured);
    check(&lines, &["binance-usdm:BTCUSDT   63,120", "no reading has come yet"]);
    board.apply("snapshot", snapshot()).unwrap();
    let alert = serde_json::json!([{"alert_id": "a", "instrument": "binance-usdm:BTCUSDT", "title": "Cascade of longs", "severity": "HIGH", "state": "CLOSED", "timestamp": "2026-02-05T14:05:00Z"}]);
    board.remember(alert);
    let (lines, _) = picture((80, 40), &board, &view, FRESH, Palette::Coloured);
    check(
        &lines,
        &[
            " risk        HIGH_VOL ⚡",
            "38 min   margin 0.9",
            "bias CONSERVATIVE",
            " High volatility (1 h vol 118 % annualised), strong downtrend, −8.1 % in",
            " High volatility: 1 h volatility is 118 %, limit 80 %.",
            " new entries     smaller size",
            " session         New York session, 40 % elapsed; stops at 1.8 × ATR",
            " risk ends       chop risk if 1 h volatility falls below 72 % annualised and\n                 stays there for 2 hourly readings; now 118 %",
            " risk: HIGH_VOL ⚡  fires, margin 0.9, active 0.4 % of 90 d",
            "118 %  > 80 %       ▱▱▱▱▱│▰▰▰▰▰ 0.9",
            "30 min ago  HIGH     Cascade of longs (CLOSED)",
            "Esc back",
        ],
    );
}

#[test]
fn the_chosen_row_says_its_headline_below_the_rows() {
    let mut board = board();
    let long = "Funding is crowded and open interest grew by a tenth in four hours; longs pay. Strong uptrend, +4.2 % in 24 h.";
    board.apply("headlines", serde_json::json!([[1, long]])).unwrap();
    let said = |view: &View, at| {
        let (lines, _) = picture((80, 12), &board, view, at, Palette::Coloured);
        lines[4..11].iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>()
    };
    let first = said(&View::default(), FRESH);
    assert!(first[0].starts_with("› BTC") && first[1].starts_with("  SOL"), "{first:#?}");
    assert_eq!(first[2..], ["  High volatility (1 h vol 118 % annualised)."]);
    let second = said(&View { selected: Some("bybit:SOLUSDT".to_owned()), ..View::default() }, FRESH);
    assert!(second[1].starts_with("› SOL"), "{second:#?}");
    let whole = [
        "  Funding is crowded and open interest grew by a tenth in four hours; longs",
        "  pay. Strong uptrend, +4.2 % in 24 h.",
    ];
    assert_eq!(second[2..], whole, "in full");
    let help = View { help: true, ..View::default() };
    assert!(said(&help, FRESH).iter().all(|line| !line.contains("High volatility")));
}

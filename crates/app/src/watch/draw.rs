//! The screen: header, what changed, rows or one market, and a line of keys.

use super::keys::{View, WatchPage};
use super::market;
use super::state::{KnownBoard, WatchRow};
use super::table::{BoardMoment, ScreenColumn, ScreenTable, is_stale, width};
use super::wording::{self, Palette, Tone};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Lines of the board that stay whatever is said below it: names of columns, and a row.
const HEAD_AND_ROW: u16 = 2;
/// Seconds that a change is news.
const NEWS_S: i64 = 3_600;

/// Everything a picture is made of.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) board: &'a KnownBoard,
    pub(crate) view: &'a View,
    pub(crate) at: BoardMoment,
    pub(crate) palette: Palette,
    /// Where the server is.
    pub(crate) address: String,
    /// Why nothing comes.
    pub(crate) trouble: Option<&'a str>,
}

const HELP: [&str; 11] = [
    "j k, arrows     move, or scroll a market's page",
    "g G             first, last",
    "/               search; Enter keeps it, Esc clears it",
    "s               sort by risk, market, 24 h, volatility, funding, OI 4 h",
    "Enter           open the market: why, what would change it, what it means",
    "Esc             back",
    "?               this",
    "q               quit",
    "",
    "held: for how long the risk label has held; age: how old the reading is",
    "margin: distance of the risk label to its threshold, in scale units",
];

/// Draws one picture.
pub(crate) fn draw(frame: &mut Frame<'_>, scene: &Picture<'_>) {
    let warn = warning(scene);
    let told = headline(scene, usize::from(frame.area().width));
    let [top, said, body, below, keys] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(u16::from(warn.is_some())),
        Constraint::Min(HEAD_AND_ROW),
        Constraint::Length(u16::try_from(told.len()).unwrap_or(0)),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(header(scene, usize::from(top.width))), top);
    if let Some(text) = warn {
        let style = scene.palette.style(Tone::Red).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(text, style)), said);
    }
    match (&scene.view.page, scene.view.help) {
        (_, true) => frame.render_widget(Paragraph::new(HELP.map(Line::raw).to_vec()), body),
        (WatchPage::Market(market), false) => page(frame, scene, market, body),
        (WatchPage::Board, false) => frame.render_widget(Paragraph::new(rows(scene, body)), body),
    }
    frame.render_widget(Paragraph::new(told), below);
    frame.render_widget(Paragraph::new(footer(scene)), keys);
}

/// `2 markets · feeds 1 live, 1 lost · …`
pub(crate) fn counts(board: &KnownBoard) -> String {
    let h = &board.header;
    let origin = match board.origin.as_str() {
        "measured" | "" => String::new(),
        other => format!(" · {other}"),
    };
    format!(
        "{} market{} · feeds {} live, {} lost · cascades 24 h {} · vol events {} · open alerts {}{origin}",
        h.markets,
        if h.markets == 1 { "" } else { "s" },
        h.live,
        h.lost,
        h.cascades_24h,
        h.volatility_events_24h,
        h.open_alerts
    )
}

fn header(scene: &Picture<'_>, room: usize) -> Vec<Line<'static>> {
    let board = scene.board;
    if !board.here {
        return vec![Line::styled("barograph", scene.palette.style(Tone::Strong))];
    }
    let (name, time) = (format!("barograph  {}", scene.address), wording::moment(scene.at.now_ms));
    let gap = " ".repeat(room.saturating_sub(width(&name) + width(&time)).max(1));
    let mut counts = counts(board);
    // The origin is what a reader must not miss: where there is no room the rest is shortened.
    if width(&counts) > room {
        counts = counts
            .replace(" · cascades 24 h ", " · cascades ")
            .replace("vol events ", "vol ")
            .replace("open alerts", "alerts");
    }
    vec![
        Line::styled(format!("{name}{gap}{time}"), scene.palette.style(Tone::Strong)),
        Line::raw(counts),
        changed(scene),
    ]
}

/// "Changed in the last hour: SOL risk ○→⇥ 12 min ago · …"
fn changed(scene: &Picture<'_>) -> Line<'static> {
    let board = scene.board;
    let mut spans = Vec::new();
    for change in &board.changes {
        let Some(age) = wording::since(&change.at, scene.at.now_ms).filter(|age| *age < NEWS_S) else { continue };
        let row = board.rows.iter().find(|row| row.instrument == change.instrument);
        let symbol = row.map_or(change.instrument.as_str(), |row| row.symbol.as_str());
        let base = symbol.split('/').next().unwrap_or(symbol);
        let (before, _) = wording::label(&change.axis, &change.from);
        let (after, tone) = wording::label(&change.axis, &change.to);
        let apart = if spans.is_empty() { "Changed in the last hour: " } else { " · " };
        spans.push(Span::raw(format!("{apart}{base} {} ", change.axis)));
        spans.push(Span::styled(format!("{before}→{after}"), scene.palette.style(tone)));
        spans.push(Span::raw(format!(" {} ago", wording::age(age))));
    }
    if spans.is_empty() {
        return Line::styled("No label changed in the last hour", scene.palette.style(Tone::Faint));
    }
    Line::from(spans)
}

/// One plain sentence when nothing comes.
fn warning(scene: &Picture<'_>) -> Option<String> {
    if !scene.board.here {
        return None;
    }
    let why = scene.trouble.map_or(String::new(), |why| format!(": {why}"));
    let silent = scene.at.silent_s?;
    Some(format!("No data for {silent} s, connecting again; numbers are old{why}"))
}

fn rows(scene: &Picture<'_>, area: Rect) -> Vec<Line<'static>> {
    let (board, view) = (scene.board, scene.view);
    let faint = |text: String| -> Vec<Line<'static>> {
        let folded = crate::term::fold(&text, usize::from(area.width).saturating_sub(4), "  ");
        let said = folded.lines().map(|line| Line::styled(line.to_owned(), scene.palette.style(Tone::Faint)));
        core::iter::once(Line::raw("")).chain(said).collect()
    };
    if !board.here {
        let why = scene.trouble.map_or(String::new(), |why| format!(": {why}; start one with: barograph up"));
        return faint(format!("connecting to {}{why}", scene.address));
    }
    let shown = view.rows(board);
    if board.rows.is_empty() {
        return faint("no market yet; record with: barograph up".to_owned());
    }
    if shown.is_empty() {
        return faint(format!("no market matches '{}'; Esc clears the search", view.filter));
    }
    let cursor = view.cursor(&shown);
    let room = usize::from(area.height).saturating_sub(1).max(1);
    let first = cursor.saturating_sub(room - 1);
    let seen = &shown[first..shown.len().min(first + room)];
    let table = ScreenTable::new(board, seen, scene.at, usize::from(area.width));
    let head = table.columns.iter().map(|(kind, name, width)| ScreenTable::padded(*kind, name, *width));
    let head = format!("  {}", head.collect::<Vec<_>>().join(" "));
    let mut lines = vec![Line::styled(head, scene.palette.style(Tone::Faint))];
    for (place, row) in seen.iter().enumerate() {
        lines.push(line(scene, &table, place, row, first + place == cursor));
    }
    lines
}

/// The headline of the row that is chosen, below the rows; as many lines as it takes.
fn headline(scene: &Picture<'_>, room: usize) -> Vec<Line<'static>> {
    let (board, view) = (scene.board, scene.view);
    if view.help || view.page != WatchPage::Board {
        return Vec::new();
    }
    let shown = view.rows(board);
    // A server of before there were headlines has none.
    let Some(row) = shown.get(view.cursor(&shown)).filter(|row| !row.headline.is_empty()) else { return Vec::new() };
    let tone = if is_stale(row, scene.at) { Tone::Faint } else { Tone::Strong };
    let text = crate::term::fold(&row.headline, room.saturating_sub(2), "  ");
    text.lines().map(|line| Line::styled(line.to_owned(), scene.palette.style(tone))).collect()
}

fn line(scene: &Picture<'_>, table: &ScreenTable, place: usize, row: &WatchRow, selected: bool) -> Line<'static> {
    let mut spans = vec![Span::raw(if selected { "› " } else { "  " })];
    for ((kind, _, width), cell) in table.columns.iter().zip(&table.lines[place]) {
        let text = format!("{} ", ScreenTable::padded(*kind, &cell.text, *width));
        let strong = *kind == ScreenColumn::Market && !is_stale(row, scene.at);
        spans.push(Span::styled(text, scene.palette.style(if strong { Tone::Strong } else { cell.tone })));
    }
    let line = Line::from(spans);
    if selected { line.patch_style(Style::new().add_modifier(Modifier::REVERSED)) } else { line }
}

fn page(frame: &mut Frame<'_>, scene: &Picture<'_>, market: &str, area: Rect) {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (text, tone) in market::lines(scene.board, market, scene.at, usize::from(area.width)) {
        let tone = if scene.at.silent_s.is_some() { Tone::Faint } else { tone };
        lines.push(Line::styled(text, scene.palette.style(tone)));
    }
    let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    frame.render_widget(Paragraph::new(lines).scroll((scene.view.scroll.min(most), 0)), area);
}

fn footer(scene: &Picture<'_>) -> Line<'static> {
    let view = scene.view;
    let text = match (view.typing, &view.page) {
        (true, _) => format!("/{}█  Enter keeps, Esc clears", view.filter),
        (false, WatchPage::Market(_)) => "j k scroll · Esc back · ? help · q quit".to_owned(),
        (false, WatchPage::Board) => {
            let search = if view.filter.is_empty() { String::new() } else { format!(": {}", view.filter) };
            format!("j k move · Enter open · / search{search} · s sort: {} · ? help · q quit", view.sort.name())
        }
    };
    Line::styled(text, scene.palette.style(Tone::Faint))
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;

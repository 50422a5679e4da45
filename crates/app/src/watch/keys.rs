//! What keys do to what is shown. Pure: the loop does what they ask for.

use super::state::{KnownBoard, WatchRow};
use super::table::word;
use barograph_api::board::Column;
use barograph_domain::{Label as _, RiskRegime};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Order of the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Sort {
    #[default]
    Risk,
    Market,
    Change,
    Volatility,
    Funding,
    Oi,
}

impl Sort {
    const ALL: [Self; 6] = [Self::Risk, Self::Market, Self::Change, Self::Volatility, Self::Funding, Self::Oi];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Market => "market",
            Self::Change => "24 h",
            Self::Volatility => "volatility",
            Self::Funding => "funding",
            Self::Oi => "OI 4 h",
        }
    }

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// The greater comes first; what is not known comes last.
    fn key(self, board: &KnownBoard, row: &WatchRow) -> f64 {
        let of = |column| row.number(column).unwrap_or(f64::NEG_INFINITY);
        match self {
            Self::Market => 0.0,
            Self::Risk => {
                let label = word(board, row, Column::Risk).and_then(RiskRegime::of_word);
                label.and_then(RiskRegime::severity).map_or(-1.0, f64::from)
            }
            Self::Change => row.number(Column::Change24h).map_or(f64::NEG_INFINITY, f64::abs),
            Self::Volatility => of(Column::Vol24h),
            Self::Funding => row.number(Column::Funding8h).map_or(f64::NEG_INFINITY, f64::abs),
            Self::Oi => of(Column::Oi4h),
        }
    }
}

/// What fills the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum WatchPage {
    #[default]
    Board,
    Market(String),
}

/// What is looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct View {
    pub(crate) page: WatchPage,
    pub(crate) help: bool,
    /// Instrument under the cursor; rows move, it does not.
    pub(crate) selected: Option<String>,
    pub(crate) filter: String,
    pub(crate) typing: bool,
    pub(crate) sort: Sort,
    /// Lines above the top of the market's page.
    pub(crate) scroll: u16,
}

/// What the loop has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Nothing,
    /// The market that is followed is another.
    Follow,
    Quit,
}

impl View {
    /// Rows that are shown, in their order.
    pub(crate) fn rows<'a>(&self, board: &'a KnownBoard) -> Vec<&'a WatchRow> {
        let wanted = self.filter.to_lowercase();
        let fits = |row: &&WatchRow| {
            row.instrument.to_lowercase().contains(&wanted) || row.symbol.to_lowercase().contains(&wanted)
        };
        let mut rows: Vec<&WatchRow> = board.rows.iter().filter(fits).collect();
        rows.sort_by(|a, b| {
            let by = self.sort.key(board, b).total_cmp(&self.sort.key(board, a));
            by.then_with(|| (&a.symbol, &a.instrument).cmp(&(&b.symbol, &b.instrument)))
        });
        rows
    }

    /// Place of the cursor among these rows.
    pub(crate) fn cursor(&self, rows: &[&WatchRow]) -> usize {
        rows.iter().position(|row| Some(&row.instrument) == self.selected.as_ref()).unwrap_or(0)
    }

    /// A key was pressed.
    pub(crate) fn press(&mut self, board: &KnownBoard, key: KeyEvent) -> Act {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Act::Quit;
        }
        if self.typing {
            self.type_in(key.code);
            return Act::Nothing;
        }
        match (key.code, &self.page) {
            (KeyCode::Char('q'), _) => return Act::Quit,
            (KeyCode::Char('?'), _) => self.help = !self.help,
            (KeyCode::Esc, _) if self.help => self.help = false,
            (KeyCode::Esc | KeyCode::Backspace | KeyCode::Left, WatchPage::Market(_)) => {
                self.page = WatchPage::Board;
                return Act::Follow;
            }
            (KeyCode::Esc, WatchPage::Board) => self.filter.clear(),
            (KeyCode::Char('/'), WatchPage::Board) => self.typing = true,
            (KeyCode::Char('s'), WatchPage::Board) => self.sort = self.sort.next(),
            (KeyCode::Enter | KeyCode::Right, WatchPage::Board) => return self.open(board),
            (KeyCode::Char('j') | KeyCode::Down, _) => self.go(board, 1),
            (KeyCode::Char('k') | KeyCode::Up, _) => self.go(board, -1),
            (KeyCode::PageDown, _) => self.go(board, 10),
            (KeyCode::PageUp, _) => self.go(board, -10),
            (KeyCode::Char('g') | KeyCode::Home, _) => self.go(board, isize::MIN),
            (KeyCode::Char('G') | KeyCode::End, _) => self.go(board, isize::MAX),
            _ => {}
        }
        Act::Nothing
    }

    fn type_in(&mut self, code: KeyCode) {
        match code {
            KeyCode::Esc => {
                self.filter.clear();
                self.typing = false;
            }
            KeyCode::Enter => self.typing = false,
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
    }

    fn open(&mut self, board: &KnownBoard) -> Act {
        let rows = self.rows(board);
        let Some(row) = rows.get(self.cursor(&rows)) else { return Act::Nothing };
        self.selected = Some(row.instrument.clone());
        (self.page, self.scroll) = (WatchPage::Market(row.instrument.clone()), 0);
        Act::Follow
    }

    fn go(&mut self, board: &KnownBoard, by: isize) {
        match &self.page {
            WatchPage::Market(_) => {
                let by = i16::try_from(by).unwrap_or(if by < 0 { i16::MIN } else { i16::MAX });
                self.scroll = self.scroll.saturating_add_signed(by);
            }
            WatchPage::Board => {
                let rows = self.rows(board);
                let place = self.cursor(&rows).saturating_add_signed(by).min(rows.len().saturating_sub(1));
                self.selected = rows.get(place).map(|row| row.instrument.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::state::tests::board;

    fn pressed(view: &mut View, keys: &[KeyCode]) -> Act {
        let board = board();
        keys.iter().fold(Act::Nothing, |_, code| view.press(&board, KeyEvent::from(*code)))
    }

    fn shown(view: &View) -> Vec<String> {
        view.rows(&board()).iter().map(|row| row.symbol.clone()).collect()
    }

    #[test]
    fn keys_move_search_sort_and_open() {
        use KeyCode::{Char, Down, Enter, Esc};
        let mut view = View::default();
        assert_eq!(shown(&view), ["BTC/USDT", "SOL/USDT"], "the severest first");
        pressed(&mut view, &[Char('/'), Char('s'), Char('O'), Char('l')]);
        assert_eq!((shown(&view), view.typing), (vec!["SOL/USDT".to_owned()], true));
        pressed(&mut view, &[Enter, Esc]);
        assert_eq!((shown(&view).len(), view.typing), (2, false));
        pressed(&mut view, &[Down, Down]);
        assert_eq!(view.selected.as_deref(), Some("bybit:SOLUSDT"), "the last row is the end");
        pressed(&mut view, &[Char('s'), Char('s'), Char('s'), Char('s'), Char('s')]);
        assert_eq!((view.sort, shown(&view)), (Sort::Oi, vec!["SOL/USDT".to_owned(), "BTC/USDT".to_owned()]));
        assert_eq!(pressed(&mut view, &[Enter]), Act::Follow);
        assert_eq!(view.page, WatchPage::Market("bybit:SOLUSDT".to_owned()));
        pressed(&mut view, &[Down, Char('?'), Esc]);
        assert_eq!((view.scroll, view.help), (1, false), "Esc closes the help before the market");
        assert_eq!(pressed(&mut view, &[Esc]), Act::Follow);
        assert_eq!(view.page, WatchPage::Board);
        assert_eq!(pressed(&mut view, &[Char('q')]), Act::Quit);
    }
}

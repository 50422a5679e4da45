//! Where the order book of a moment comes from.

use super::fills::TakerBook;
use barograph_domain::{Span, Ts};

/// Why there is no order book to trade on at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoBook {
    /// Nothing was recorded until then.
    Before,
    /// The newest one is older than allowed.
    Stale {
        /// Its age.
        age: Span,
    },
    /// The recording has a gap there, or the order book of that moment cannot be used.
    Gap,
}

impl core::fmt::Display for NoBook {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Before => write!(f, "the recording begins later"),
            Self::Stale { age } => write!(f, "the newest order book is {} s old", age.as_secs_f64()),
            Self::Gap => write!(f, "the recording has a gap"),
        }
    }
}

impl core::error::Error for NoBook {}

/// The order book as it stood at a moment.
///
/// A back-test asks for moments that never go back, so a source may play a recording forward; whoever asks otherwise says so.
pub trait BookAt {
    /// The order book with everything that had happened until `at`, that moment included, and nothing later.
    ///
    /// # Errors
    /// Why there is none.
    fn book_at(&mut self, at: Ts) -> Result<&TakerBook, NoBook>;
}

/// Recorded order books in the order of time; each holds until the next.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedBooks {
    /// `None` where the recording has a gap from then on.
    books: Vec<(Ts, Option<TakerBook>)>,
    age_max: Span,
}

impl RecordedBooks {
    /// From moments with what stood then, `None` from the beginning of a gap on; none is used that is older than `age_max`.
    /// Brought into the order of time here; of equal moments the last counts.
    #[must_use]
    pub fn new(mut books: Vec<(Ts, Option<TakerBook>)>, age_max: Span) -> Self {
        books.sort_by_key(|(at, _)| *at);
        Self { books, age_max }
    }
}

impl BookAt for RecordedBooks {
    fn book_at(&mut self, at: Ts) -> Result<&TakerBook, NoBook> {
        let until = self.books.partition_point(|(t, _)| *t <= at);
        let (t, book) = self.books[..until].last().ok_or(NoBook::Before)?;
        let book = book.as_ref().ok_or(NoBook::Gap)?;
        let age = at - *t;
        if age > self.age_max { Err(NoBook::Stale { age }) } else { Ok(book) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_until_then_counts() {
        let book = |mid: f64| Some(TakerBook::new([(mid - 1.0, 1.0)], [(mid + 1.0, 1.0)]).unwrap());
        let at = Ts::from_secs;
        let mut books =
            RecordedBooks::new(vec![(at(20), None), (at(10), book(50.0)), (at(12), book(60.0))], Span::secs(5));
        for (t, want) in [
            (at(9), Err(NoBook::Before)),
            (at(10), Ok(50.0)),
            (Ts(at(12).0 - 1), Ok(50.0)),
            (at(17), Ok(60.0)),
            (at(18), Err(NoBook::Stale { age: Span::secs(6) })),
            (at(25), Err(NoBook::Gap)),
        ] {
            assert_eq!(books.book_at(t).map(TakerBook::mid), want, "{t}");
        }
    }
}

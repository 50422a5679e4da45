//! What a venue offers, one row per stream: of which kinds of market, over which channel, how often, how late, and after what
//! silence it is stale. Everything that asks by metric reads these rows; nothing else lists them.

use crate::session::{MarketIndex, MarketSpec, SessionConfig, StreamSpec};
use barograph_domain::{Kind, MarketKind, Metric, Span};

/// Kinds of market that have a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Of {
    /// Spot and contracts.
    All,
    /// Spot only.
    Spot,
    /// Perpetual and dated contracts.
    Contracts,
    /// Perpetual contracts.
    Perpetuals,
    /// None of this venue, although its sisters have it.
    Nowhere,
}

impl Of {
    const fn has(self, kind: MarketKind) -> bool {
        match self {
            Self::All => true,
            Self::Spot => matches!(kind, MarketKind::Spot),
            Self::Contracts => !matches!(kind, MarketKind::Spot),
            Self::Perpetuals => matches!(kind, MarketKind::Perpetual),
            Self::Nowhere => false,
        }
    }
}

/// How often a stream says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Every {
    /// At this interval.
    Span(Span),
    /// With the contract's settlements, else each eight hours.
    Settlement,
    /// As often as open interest is polled.
    Poll,
}

/// Silence after which a stream is stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Silence {
    /// None is too long.
    Any,
    /// This long.
    Span(Span),
    /// As long as so many polls of open interest take.
    Polls(i64),
}

/// One stream that the venue has, for some kinds of market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Offer<C> {
    metric: Metric,
    of: Of,
    channel: Option<C>,
    every: Every,
    delay: Option<Span>,
    silence: Silence,
    kind: Kind,
}

impl<C> Offer<C> {
    /// A stream of the socket: each second, received with the venue's usual delay, silent for as long as it likes.
    pub(crate) const fn new(metric: Metric, of: Of, channel: Option<C>) -> Self {
        let every = Every::Span(Span::secs(1));
        Self { metric, of, channel, every, delay: None, silence: Silence::Any, kind: Kind::Measured }
    }

    /// As [`Self::new`], over this channel.
    pub(crate) const fn over(metric: Metric, of: Of, channel: C) -> Self
    where
        C: Copy,
    {
        Self::new(metric, of, Some(channel))
    }

    /// At this interval.
    pub(crate) const fn every(mut self, every: Span) -> Self {
        self.every = Every::Span(every);
        self
    }

    /// At the contract's settlements.
    pub(crate) const fn at_settlements(mut self) -> Self {
        self.every = Every::Settlement;
        self
    }

    /// As often as open interest is polled.
    pub(crate) const fn polled(mut self) -> Self {
        self.every = Every::Poll;
        self
    }

    /// Stale after so many polls of open interest without data.
    pub(crate) const fn silence_polls(mut self, polls: i64) -> Self {
        self.silence = Silence::Polls(polls);
        self
    }

    /// Received this long after its stamp.
    pub(crate) const fn delay(mut self, delay: Span) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Stale after this long without data.
    pub(crate) const fn silence(mut self, silence: Span) -> Self {
        self.silence = Silence::Span(silence);
        self
    }

    /// Not all there is.
    pub(crate) const fn sampled(mut self) -> Self {
        self.kind = Kind::Sampled;
        self
    }
}

/// The streams of these rows, each once, in their order; `N` is their number.
pub(crate) const fn metrics<C: Copy, const N: usize>(rows: &[Offer<C>]) -> [Metric; N] {
    metrics_of(rows, &[MarketKind::Spot, MarketKind::Perpetual, MarketKind::DatedFuture])
}

/// As [`metrics`], those of markets of these kinds.
pub(crate) const fn metrics_of<C: Copy, const N: usize>(rows: &[Offer<C>], kinds: &[MarketKind]) -> [Metric; N] {
    let mut all = [Metric::Bar; N];
    let (mut at, mut count) = (0, 0);
    while at < rows.len() {
        let mut known = 0;
        while known < count && all[known] as usize != rows[at].metric as usize {
            known += 1;
        }
        let mut kind = 0;
        while kind < kinds.len() && !rows[at].of.has(kinds[kind]) {
            kind += 1;
        }
        if known == count && kind < kinds.len() {
            all[count] = rows[at].metric;
            count += 1;
        }
        at += 1;
    }
    assert!(count == N, "as many metrics as there are");
    all
}

/// The row of a stream of a market of this kind, if the venue has it.
pub(crate) fn of<C: Copy>(rows: &[Offer<C>], kind: MarketKind, metric: Metric) -> Option<Offer<C>> {
    rows.iter().find(|row| row.metric == metric && row.of.has(kind)).copied()
}

/// Channels that the wanted streams of a market need.
pub(crate) fn channels<C: Copy>(
    rows: &[Offer<C>],
    kind: MarketKind,
    config: &SessionConfig,
) -> impl Iterator<Item = C> {
    config.metrics.iter().filter_map(move |metric| of(rows, kind, *metric)?.channel)
}

/// Is this stream polled?
pub(crate) fn is_polled<C>(rows: &[Offer<C>], metric: Metric) -> bool {
    rows.iter().any(|row| row.metric == metric && matches!(row.every, Every::Poll))
}

/// Silence after which a stream is stale, where open interest is polled each `poll`; `None`: it may be silent for as long as it
/// likes.
pub(crate) fn silence<C>(rows: &[Offer<C>], metric: Metric, poll: Span) -> Option<Span> {
    match rows.iter().find(|row| row.metric == metric)?.silence {
        Silence::Any => None,
        Silence::Span(silence) => Some(silence),
        Silence::Polls(polls) => Some(poll.times(polls)),
    }
}

/// Declares one stream of one market; `delay` is the venue's usual one, `poll` how often open interest is polled. Of what the
/// venue does not have the rows say nothing; it never comes.
pub(crate) fn stream<C: Copy>(
    rows: &[Offer<C>],
    delay: Span,
    (market, spec): (MarketIndex, &MarketSpec),
    metric: Metric,
    poll: impl FnOnce() -> Span,
) -> StreamSpec {
    let offer = rows.iter().find(|row| row.metric == metric).copied();
    let row = offer.unwrap_or(Offer::new(metric, Of::All, None));
    let cadence = match row.every {
        Every::Span(every) => every,
        Every::Poll => poll(),
        Every::Settlement => {
            let hours = spec.funding_interval_h.filter(|h| (1.0..=24.0).contains(h)).unwrap_or(8.0);
            #[expect(clippy::cast_possible_truncation, reason = "checked: 1 to 24")]
            Span::hours(hours as i64)
        }
    };
    StreamSpec {
        market,
        metric,
        offered: of(rows, spec.kind, metric).is_some(),
        kind: row.kind,
        cadence,
        delay: row.delay.unwrap_or(delay),
        filled: offer.is_none() || !matches!(metric, Metric::Bar | Metric::FundingRateSettled),
    }
}

//! The headline and what is said beside it: every combination of labels, and some of them word for word (UX §1).

use crate::rules_common;
use barograph_domain::advice::{SeenPrice, StopState};
use barograph_domain::{
    AxisState, HeatRegime, Instrument, InstrumentName, Kind, Label, MarketKind, MinuteRow, OpenAlert, OpenAlerts,
    Pattern, Posture, RiskBias, RiskRegime, Severity, Side, Snapshot, Span, State, StopVulnerability, StreamDecl,
    TrendRegime, VolRegime,
};
use barograph_engine::explain::headline::{Held, HeldStop, Sight, headline};
use barograph_engine::explain::{Context, care_by_stop, render};
use barograph_engine::rules::RuleBook;
use rules_common::{ages, live_streams, minute, minute_row, shipped};

const NUMBERS: [(&str, f64); 12] = [
    ("funding_zscore_24h", 0.4),
    ("funding_rate_8h", 0.0001),
    ("oi_delta_4h", 0.002),
    ("oi_delta_1h", 0.03),
    ("realized_vol_1h", 0.35),
    ("realized_vol_4h", 0.42),
    ("realized_vol_24h", 0.69),
    ("efficiency_12h", 0.40),
    ("vol_pct_rank", 0.5),
    ("price_change_24h", 0.0031),
    ("price_move_24h_pct_90d", 0.2),
    ("heat", 0.5),
];

/// A market at one minute, whose labels are set by hand.
pub(crate) struct Scene {
    book: RuleBook,
    streams: Vec<StreamDecl>,
    instrument: Instrument,
    pub(crate) row: MinuteRow,
    pub(crate) held: Option<Held>,
}

pub(crate) fn scene(book: &str, changes: &[(&'static str, f64)]) -> Scene {
    let book = shipped(book);
    let numbers: Vec<(&str, f64)> =
        NUMBERS.iter().map(|(id, x)| (*id, changes.iter().find(|(c, _)| c == id).map_or(*x, |(_, y)| *y))).collect();
    let mut row = minute_row(&book, minute(875), &numbers, &[]);
    row.inputs = ages(row.ts, [2, 3, 41]);
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").expect("a name");
    let mut scene = Scene {
        book,
        streams: live_streams(),
        instrument: Instrument::from_name(name, MarketKind::Perpetual),
        row,
        held: None,
    };
    scene.labels(RiskRegime::Normal, VolRegime::HighVol, TrendRegime::Sideways, HeatRegime::Neutral);
    scene
}

pub(crate) fn state<L: Label>(label: L) -> AxisState<L> {
    AxisState { label, raw_label: label, since: minute(0), ..AxisState::default() }
}

impl Scene {
    fn labels(&mut self, risk: RiskRegime, volatility: VolRegime, trend: TrendRegime, heat: HeatRegime) -> &mut Self {
        self.row.risk = state(risk);
        self.row.volatility = state(volatility);
        self.row.trend = state(trend);
        self.row.heat = state(heat);
        self
    }
    pub(crate) fn alert(&mut self, pattern: Pattern, severity: Severity) -> &mut Self {
        self.row.open.add(OpenAlert { pattern, severity, rule: None });
        self
    }
    fn stops(&mut self, level: StopVulnerability) -> &mut Self {
        for id in ["stop_vulnerability", "stop_vulnerability_long", "stop_vulnerability_short"] {
            let cell = &mut self.row.cells[rules_common::feature(id).index()];
            (cell.state, cell.value, cell.coverage) = (State::Ready, f64::from(level as u8), 1.0);
            cell.kind = Kind::Modelled;
        }
        self
    }
    fn context(&self) -> Context<'_> {
        Context {
            book: &self.book,
            logic_version: "v0.1.0+0123456789ab",
            instrument: &self.instrument,
            streams: &self.streams,
            held: self.held,
            calls: None,
        }
    }
    pub(crate) fn said(&self) -> Snapshot {
        render(&self.context(), &self.row, None)
    }
}

const REACHED: Held = Held { is_long: true, stop: 2.5, price: 2.4, state: HeldStop::Reached };
pub(crate) const NEAR: Held = Held { state: HeldStop::Near, price: 2.52, ..REACHED };

/// A headline and a posture row see the stop that the check of positions found, with its memory.
#[test]
fn what_is_held_is_what_its_check_found() {
    let found = |side, stop, price, before: Option<&StopState>| {
        let seen = SeenPrice { price, at: None, atr: Some(0.1) };
        StopState::of(side, stop, seen, minute(875), before).expect("prices")
    };
    let reached = found(Side::Long, 2.5, 2.4, None);
    assert_eq!(Held::of(Side::Long, &reached), Some(REACHED));
    // Back above the stop, and not yet far from it again.
    let back = Held::of(Side::Long, &found(Side::Long, 2.5, 2.54, Some(&reached)));
    assert_eq!(back, Some(Held { price: 2.54, ..REACHED }));
    let near = Held::of(Side::Short, &found(Side::Short, 2.57, 2.54, None));
    assert_eq!(near.map(|h| (h.state, h.is_long)), Some((HeldStop::Near, false)));
    assert_eq!(Held::of(Side::Long, &found(Side::Long, 2.4, 2.54, None)), None);
    assert_eq!(Held::worst([near, back].into_iter().flatten()), back, "reached before near, though farther");
}

/// What a market asks of a position is its guidance beside that position's stop, whatever other positions do.
#[test]
fn a_position_is_asked_for_what_the_table_says_of_its_stop() {
    let mut scene = scene("default", &[]);
    for trend in [TrendRegime::Sideways, TrendRegime::StrongDowntrend] {
        for volatility in [VolRegime::Stable, VolRegime::Extreme] {
            scene.labels(RiskRegime::Normal, volatility, trend, HeatRegime::Neutral);
            let care = |scene: &Scene| care_by_stop(&scene.context(), &scene.row, scene.row.ts).expect("a table");
            let asked = care(&scene);
            for (held, care) in [(None, &asked.far), (Some(NEAR), &asked.near), (Some(REACHED), &asked.reached)] {
                scene.held = held;
                let g = scene.said().guidance;
                assert_eq!((care.bias, care.posture), (g.risk_bias, g.posture));
                assert_eq!((&care.new_entries, &care.open_positions), (&g.new_entries, &g.open_positions));
            }
            assert_eq!(care(&scene), asked, "another position at its stop is no business of this one");
            scene.held = None;
        }
    }
    for book in ["seed1-strict", "seed4"] {
        let other = self::scene(book, &[]);
        assert_eq!(care_by_stop(&other.context(), &other.row, other.row.ts), None, "{book}");
    }
}

/// Words that nobody may read beside an axis at its top or a stop that is reached.
const CALM: [&str; 4] = ["no action needed", "nothing unusual", "nothing to do now", "follow own rules"];

fn texts(s: &Snapshot) -> [&str; 6] {
    let g = &s.guidance;
    [&s.headline, &s.explanation.reasoning, &g.new_entries, &g.open_positions, g.posture_action, g.risk_bias_action]
}

#[test]
fn an_axis_at_its_top_or_a_reached_stop_never_reads_as_calm() {
    use StopVulnerability::{High, Low};
    for book in ["default", "absolute"] {
        let mut scene = scene(book, &[]);
        let mut seen = 0;
        for risk in RiskRegime::ALL {
            for volatility in VolRegime::ALL {
                for trend in TrendRegime::ALL {
                    for heat in HeatRegime::ALL {
                        for (held, stops) in [(None, Low), (None, High), (Some(NEAR), High), (Some(REACHED), High)] {
                            scene.labels(risk, *volatility, *trend, *heat).stops(stops).held = held;
                            check(&scene.said(), held.map(|h| h.state));
                            seen += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(seen, 5 * 5 * 6 * 6 * 4);
    }
}

/// Beside an open alert of MEDIUM or above nobody reads that nothing is to be done, whatever the labels say.
#[test]
fn an_open_alert_never_reads_as_calm() {
    use {HeatRegime as H, RiskRegime as R, TrendRegime as T, VolRegime as V};
    for book in ["default", "absolute"] {
        for pattern in Pattern::ALL {
            for severity in Severity::ALL {
                let mut scene = scene(book, &[]);
                scene.labels(R::Normal, V::Stable, T::Sideways, H::Neutral).alert(*pattern, severity);
                let s = scene.said();
                check(&s, None);
                let calm = texts(&s).map(str::to_lowercase).iter().any(|text| CALM.iter().any(|c| text.contains(c)));
                assert_eq!(calm, severity < Severity::Medium, "{pattern:?} {severity:?}: {:?}", texts(&s));
                let blocked = s.guidance.upgrade_blocked_by.contains(&"an alert is open");
                assert_eq!(blocked, severity >= Severity::Medium);
            }
        }
        let mut scene = scene(book, &[]);
        scene
            .labels(R::Normal, V::Stable, T::Sideways, H::Neutral)
            .alert(Pattern::FundingManipulation, Severity::Medium);
        let s = scene.said();
        assert_eq!(s.guidance.open_positions, "review, reduce or trail stop", "{book}");
        assert_eq!(s.guidance.new_entries, "smaller size, wider stop or wait", "{book}");
        assert_eq!(s.guidance.posture_action, "the labels are quiet, but an open alert calls for care", "{book}");
        assert_eq!(s.guidance.risk_bias_action, "standard size by the labels, but an alert is open", "{book}");
        let care = care_by_stop(&scene.context(), &scene.row, scene.row.ts).expect("a table");
        assert_eq!(care.far.open_positions, s.guidance.open_positions, "so do positions");
        // Whoever lowers every bias by a step reads what the lowered one asks for.
        scene.book.bias_shift = -1;
        let s = scene.said();
        let of_conservative = "smaller positions, wider stops";
        assert_eq!((s.guidance.risk_bias, s.guidance.risk_bias_action), (RiskBias::Conservative, of_conservative));
    }
}

/// What is asked for once is not asked for again in other words.
const PHRASES: [&str; 6] = ["trail stop", "no adding", "smaller size", "wider stop", "review", "keep"];

fn check(s: &Snapshot, stop: Option<HeldStop>) {
    let reached = stop == Some(HeldStop::Reached);
    let (r, g) = (&s.regimes, &s.guidance);
    let labels = format!("{:?} {:?} {:?} {:?}", r.risk.label, r.volatility.label, r.trend.label, r.heat.label);
    let top = r.risk.label == RiskRegime::HighVol
        || r.volatility.label == VolRegime::Extreme
        || r.trend.label.is_strong()
        || r.heat.label == HeatRegime::SuperHot;
    let said = texts(s).map(str::to_lowercase);
    if top || reached {
        for text in &said {
            assert!(CALM.iter().all(|calm| !text.contains(calm)), "{labels}, stop reached {reached}: {text}");
        }
        assert!(g.posture <= Posture::Hold, "{labels}: {:?}", g.posture);
    }
    if reached {
        assert!(said[0].contains("stop 2.5 of your long reached"), "{}", s.headline);
        assert!(s.headline.starts_with("Stop") || s.headline.starts_with("No reading"), "{}", s.headline);
        assert_eq!(g.posture, Posture::Reduce);
        assert!(g.open_positions.contains("stop reached"), "{}", g.open_positions);
    }
    if stop == Some(HeldStop::Near) {
        assert!(g.open_positions.contains("stop near"), "{}", g.open_positions);
    }
    if said[0].contains("nothing unusual") {
        let quiet = r.risk.label == RiskRegime::Normal
            && matches!(r.volatility.label, VolRegime::Stable | VolRegime::HighVol)
            && !r.trend.label.is_strong()
            && r.trend.label != TrendRegime::Unknown
            && match said[0].contains("nothing unusual in risk, volatility or trend:") {
                true => r.heat.label == HeatRegime::Unknown,
                false => matches!(r.heat.label, HeatRegime::Cold | HeatRegime::Cool | HeatRegime::Neutral),
            };
        assert!(quiet && !reached, "{labels}: {}", s.headline);
    }
    let sentences = s.headline.matches(". ").count() + 1;
    assert!(sentences <= 2 && s.headline.ends_with('.') && !s.headline.contains(".."), "{labels}: {}", s.headline);
    for (i, part) in s.headline_parts.iter().enumerate() {
        assert_eq!(usize::from(part.nth), i + 1);
        let text = part.text.trim_end_matches('.').to_lowercase();
        assert!(said[0].contains(&text), "'{text}' is not in {}", s.headline);
    }
    for text in [&g.new_entries, &g.open_positions] {
        let parts: Vec<&str> = text.split("; ").collect();
        assert!(!parts.is_empty() && parts.iter().all(|p| !p.is_empty()), "{labels}: '{text}'");
        assert!(parts.iter().enumerate().all(|(i, p)| !parts[..i].contains(p)), "said twice: {text}");
        for phrase in PHRASES {
            assert!(text.matches(phrase).count() <= 1, "{labels}: '{phrase}' twice: {text}");
        }
    }
}

#[test]
fn word_for_word() {
    use {HeatRegime as H, RiskRegime as R, TrendRegime as T, VolRegime as V};
    let fall = [("price_change_24h", -0.061), ("price_move_24h_pct_90d", 0.97), ("vol_pct_rank", 0.93)];
    let say = |changes: &[(&'static str, f64)], labels: (R, V, T, H)| {
        let mut scene = scene("default", changes);
        scene.labels(labels.0, labels.1, labels.2, labels.3);
        scene
    };
    let usual = (R::Normal, V::HighVol, T::Sideways, H::Neutral);
    for (scene, want) in [
        (say(&[], usual), "Nothing unusual: sideways over 50 h, +0.3 % in 24 h."),
        (
            say(&fall, (R::Normal, V::HighVol, T::StrongDowntrend, H::Hot)),
            "Strong downtrend, −6.1 % in 24 h, moves larger than usual (24 h vol 69 % annualised). No risk rule fires.",
        ),
        (
            say(&fall, (R::HighVol, V::Explosive, T::StrongDowntrend, H::SuperHot)),
            "High volatility (1 h vol 35 % annualised), moves explosive (24 h vol 69 % annualised). Strong downtrend, −6.1 % in 24 h.",
        ),
        (
            say(&fall, usual),
            "−6.1 % in 24 h, larger than 97 % of its 24 h moves, moves larger than usual (24 h vol 69 % annualised). No risk rule fires.",
        ),
        (say(&[], (R::Normal, V::HighVol, T::Uptrend, H::Hot)), "Activity above usual. No risk rule fires."),
        (
            say(&[], (R::SqueezeRisk, V::Stable, T::Uptrend, H::Cool)),
            "Squeeze risk. Uptrend over 50 h, +0.3 % in 24 h.",
        ),
        (
            say(&[], (R::ChopRisk, V::Extreme, T::Uptrend, H::Cool)),
            "Moves extreme (24 h vol 69 % annualised), chop risk. Uptrend over 50 h, +0.3 % in 24 h.",
        ),
    ] {
        assert_eq!(scene.said().headline, want);
    }
    let mut alarmed = say(&[], usual);
    alarmed.alert(Pattern::FundingAnomaly, Severity::Medium).alert(Pattern::LiquidationCascade, Severity::Critical);
    assert_eq!(
        alarmed.said().headline,
        "2 alerts open, the worst: liquidation cascade (CRITICAL). No risk rule fires."
    );
    alarmed.labels(R::Normal, V::HighVol, T::StrongUptrend, H::Neutral);
    assert_eq!(
        alarmed.said().headline,
        "2 alerts open, the worst: liquidation cascade (CRITICAL). Strong uptrend, +0.3 % in 24 h."
    );
    alarmed.row.open = OpenAlerts::default();
    alarmed.held = Some(NEAR);
    assert_eq!(alarmed.said().headline, "Stop 2.5 of your long near: price 2.52. Strong uptrend, +0.3 % in 24 h.");
}

/// Guidance as a trader would write it: what the strictest rows ask for, each once.
#[test]
fn the_strictest_posture_speaks_for_all() {
    use {HeatRegime as H, RiskRegime as R, StopVulnerability as S, TrendRegime as T, VolRegime as V};
    for book in ["default", "absolute"] {
        let mut scene = scene(book, &[]);
        for (labels, stops, held, entries, open) in [
            (
                (R::HighVol, V::Explosive, T::StrongDowntrend, H::SuperHot),
                S::High,
                None,
                "smaller size, wider stop or wait for better entry",
                "review, reduce or trail stop",
            ),
            (
                (R::ChopRisk, V::Explosive, T::Sideways, H::Neutral),
                S::Low,
                None,
                "smaller size, wider stop or wait; fewer entries, expect whipsaw",
                "check that the stop fits the moves; keep, no adding",
            ),
            (
                (R::Normal, V::Explosive, T::StrongDowntrend, H::Neutral),
                S::High,
                None,
                "smaller size, wider stop or wait for better entry; against the move: wait",
                "check that the stop fits the moves; positions against the move: review or reduce",
            ),
            (
                (R::Normal, V::HighVol, T::StrongUptrend, H::SuperHot),
                S::Low,
                None,
                "no chasing; against the move: wait",
                "trail stop; positions against the move: review or reduce",
            ),
            ((R::Unknown, V::HighVol, T::Sideways, H::Neutral), S::High, None, "data incomplete: wait", "keep"),
            (
                (R::SqueezeRisk, V::HighVol, T::Sideways, H::Neutral),
                S::High,
                Some(NEAR),
                "no adding; smaller size, wider stop or wait for better entry",
                "stop near: decide before it is reached; review, reduce or trail stop",
            ),
        ] {
            scene.labels(labels.0, labels.1, labels.2, labels.3).stops(stops).held = held;
            let g = scene.said().guidance;
            assert_eq!((g.new_entries.as_str(), g.open_positions.as_str()), (entries, open), "{book} {labels:?}");
        }
    }
}

/// The originals' books go by the risk label alone, to the letter.
#[test]
fn the_originals_mapping_stands() {
    for book in ["seed1-strict", "seed2", "seed3", "seed4"] {
        let mut scene = scene(book, &[]);
        scene.labels(RiskRegime::Normal, VolRegime::Extreme, TrendRegime::StrongDowntrend, HeatRegime::SuperHot);
        let g = scene.said().guidance;
        assert_eq!((g.posture, g.new_entries.as_str()), (Posture::Normal, "follow own rules"), "{book}");
        assert_eq!(
            (g.open_positions.as_str(), g.posture_action),
            ("no action needed", "follow your own rules"),
            "{book}"
        );
    }
}

#[test]
fn what_is_not_known_is_no_calm() {
    let mut young = scene("default", &[]);
    let rank = rules_common::feature("price_move_24h_pct_90d").index();
    young.row.cells[rank].state = barograph_domain::State::Warming { have: 30, need: 336 };
    assert_eq!(
        young.said().headline,
        "Sideways over 50 h, +0.3 % in 24 h. No risk rule fires; too little history yet to say what is usual here."
    );
}

/// Labels that fill the headline, an alert and a stop: what is too old is reported beside all of them.
#[test]
fn what_is_too_old_is_always_said() {
    let old = "mark price is ";
    for held in [None, Some(REACHED)] {
        for risk in RiskRegime::ALL {
            for volatility in [VolRegime::Stable, VolRegime::Extreme] {
                for trend in [TrendRegime::Sideways, TrendRegime::StrongDowntrend] {
                    for alarmed in [false, true] {
                        let mut scene = scene("default", &[]);
                        scene.row.inputs = ages(scene.row.ts, [840, 3, 41]);
                        scene.labels(risk, volatility, trend, HeatRegime::SuperHot).held = held;
                        if alarmed {
                            scene.alert(Pattern::LiquidationCascade, Severity::Critical);
                        }
                        let s = scene.said();
                        let said = s.headline.to_lowercase();
                        assert_eq!(said.matches(old).count(), 1, "{risk:?}, stop {}: {said}", held.is_some());
                        assert_eq!(said.contains("stop 2.5 of your long reached"), held.is_some(), "{said}");
                        assert!(said.matches(". ").count() <= 1 && said.ends_with('.'), "{said}");
                    }
                }
            }
        }
    }
}

/// Whatever fills a headline, risk that cannot be judged is said: for a gap or a warm-up as for age.
#[test]
fn that_risk_cannot_be_judged_is_always_said() {
    let why = "risk cannot be judged: a gap in open interest is too recent";
    for held in [None, Some(REACHED)] {
        for volatility in [VolRegime::Stable, VolRegime::Extreme] {
            for trend in [TrendRegime::Sideways, TrendRegime::StrongDowntrend] {
                for severity in [None, Some(Severity::Medium), Some(Severity::Critical)] {
                    let sight = Sight {
                        no_risk: Some(why.to_owned()),
                        trend,
                        volatility,
                        heat: HeatRegime::SuperHot,
                        open: open(severity),
                        held,
                        ..Sight::default()
                    };
                    let said = headline(&sight).text.to_lowercase();
                    assert_eq!(said.matches(why).count(), 1, "{said}");
                    assert_eq!(said.contains("stop 2.5 of your long reached"), held.is_some(), "{said}");
                    assert!(said.matches(". ").count() <= 1 && said.ends_with('.'), "{said}");
                }
            }
        }
    }
    let sight = Sight {
        no_risk: Some(why.to_owned()),
        trend: TrendRegime::StrongDowntrend,
        change_24h: Some(-0.061),
        open: open(Some(Severity::Critical)),
        ..Sight::default()
    };
    assert_eq!(
        headline(&sight).text,
        "Alert open: liquidation cascade (CRITICAL), strong downtrend, −6.1 % in 24 h. \
         Risk cannot be judged: a gap in open interest is too recent."
    );
}

fn open(severity: Option<Severity>) -> OpenAlerts {
    let mut open = OpenAlerts::default();
    let cascade = |severity| OpenAlert { pattern: Pattern::LiquidationCascade, severity, rule: None };
    severity.map(cascade).into_iter().for_each(|alert| open.add(alert));
    open
}

/// Why nothing is known is said by the sentence about the data; that is not for want of history.
#[test]
fn what_is_missing_is_no_want_of_history() {
    let why = || Some("risk cannot be judged: candles are 3 h old (limit 10 min)".to_owned());
    let said = headline(&Sight { no_risk: why(), heat: HeatRegime::Neutral, ..Sight::default() }).text;
    assert_eq!(said, "Risk cannot be judged: candles are 3 h old (limit 10 min).");
    let old = headline(&Sight { old: why(), ..Sight::default() }).text;
    assert_eq!(old, said);
}

/// A horizon in hours as far as these are said, and then in days.
#[test]
fn a_trend_has_its_horizon() {
    let said = |over| {
        let sight =
            Sight { trend: TrendRegime::Sideways, trend_over: over, change_24h: Some(-0.041), ..Sight::default() };
        headline(&sight).text
    };
    for (over, want) in [
        (None, "Sideways, −4.1 % in 24 h."),
        (Some(Span::mins(250)), "Sideways over 4 h 10 min, −4.1 % in 24 h."),
        (Some(Span::hours(50)), "Sideways over 50 h, −4.1 % in 24 h."),
        (Some(Span::hours(200)), "Sideways over 8 d 8 h, −4.1 % in 24 h."),
        (Some(Span::days(50)), "Sideways over 50 d, −4.1 % in 24 h."),
    ] {
        assert_eq!(said(over), want);
    }
    // A strong one only beside a day that went the other way.
    for (trend, change, want) in [
        (TrendRegime::StrongUptrend, -0.034, "Strong uptrend over 50 h, −3.4 % in 24 h."),
        (TrendRegime::StrongUptrend, 0.034, "Strong uptrend, +3.4 % in 24 h."),
        (TrendRegime::StrongDowntrend, 0.034, "Strong downtrend over 50 h, +3.4 % in 24 h."),
        (TrendRegime::StrongDowntrend, -0.034, "Strong downtrend, −3.4 % in 24 h."),
    ] {
        let (trend_over, change_24h) = (Some(Span::hours(50)), Some(change));
        assert_eq!(headline(&Sight { trend, trend_over, change_24h, ..Sight::default() }).text, want);
    }
}

/// Heat that a market cannot have is neither awaited nor counted as quiet.
#[test]
fn without_heat_only_the_other_axes_are_quiet() {
    let mut spot = scene("default", &[]);
    spot.labels(RiskRegime::Normal, VolRegime::HighVol, TrendRegime::Sideways, HeatRegime::Unknown);
    let heat = rules_common::feature("heat").index();
    let mut said = |state, held| {
        spot.row.cells[heat].state = state;
        spot.held = held;
        spot.said().headline
    };
    let not_offered = State::Undefined(barograph_domain::Reason::NotOffered);
    assert_eq!(
        said(not_offered, None),
        "Nothing unusual in risk, volatility or trend: sideways over 50 h, +0.3 % in 24 h."
    );
    assert_eq!(
        said(not_offered, Some(NEAR)),
        "Stop 2.5 of your long near: price 2.52. Sideways over 50 h, +0.3 % in 24 h."
    );
    assert_eq!(
        said(State::Warming { have: 1, need: 3 }, None),
        "Sideways over 50 h, +0.3 % in 24 h. No risk rule fires; too little history yet to say what is usual here."
    );
}

#[test]
fn too_little_history_is_said_once() {
    let young = Sight { risk: RiskRegime::Normal, ..Sight::default() };
    let once = "Too little history yet to say what is usual here. No risk rule fires.";
    assert_eq!(headline(&young).text, once);
}

#[test]
fn why_nothing_can_be_read_and_what_is_old_are_one_sentence() {
    let old = Some("candles are 63 min old (limit 62 min)".to_owned());
    let said_of = |why: &str, held, severity| {
        let (no_reading, open) = (Some(why.to_owned()), open(severity));
        headline(&Sight { no_reading, old: old.clone(), held, open, ..Sight::default() }).text
    };
    let said = |why: &str, held| said_of(why, held, None);
    let gone = "No reading: candles are 63 min old (limit 62 min).";
    assert_eq!(said_of(gone, None, Some(Severity::Info)), gone);
    assert_eq!(
        said_of(gone, None, Some(Severity::Medium)),
        format!("{gone} Alert open: liquidation cascade (MEDIUM).")
    );
    assert_eq!(
        said_of(gone, Some(REACHED), Some(Severity::Critical)),
        format!("{gone} Stop 2.5 of your long reached: price 2.4, alert open: liquidation cascade (CRITICAL).")
    );
    assert_eq!(
        said("No reading: a gap in open interest is too recent. Last reading was chop risk.", None),
        "No reading: a gap in open interest is too recent and candles are 63 min old (limit 62 min). \
         Last reading was chop risk."
    );
    // Two sentences are the most: the last reading gives way to what is open.
    assert_eq!(
        said_of(&format!("{gone} Last reading was normal."), None, Some(Severity::Medium)),
        format!("{gone} Alert open: liquidation cascade (MEDIUM).")
    );
    assert_eq!(
        said("No reading: candles are 63 min old (limit 62 min).", Some(REACHED)),
        "No reading: candles are 63 min old (limit 62 min). Stop 2.5 of your long reached: price 2.4."
    );
    // A price has as many digits as part it from the stop.
    let close = Held { stop: 63_120.4, price: 63_119.9, ..REACHED };
    assert_eq!(
        said("No reading: candles are 63 min old (limit 62 min).", Some(close)),
        "No reading: candles are 63 min old (limit 62 min). Stop 63,120.4 of your long reached: price 63,119.9."
    );
}

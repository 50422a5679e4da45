//! Integration of the position manager (R1.86): which changes are notices, once per episode, and again after a day while
//! they last; the state survives a restart.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use crate::advice_common;
use advice_common::{NOW, calm, level};
use barograph_domain::advice::{
    NewPosition, NoticeLevel, NoticeTrigger, Position, PositionBook, PositionFlag, PositionNotice, SeenPrice, StopReach,
};
use barograph_domain::{InstrumentName, Level, LevelType, Posture, RiskBias, RiskRegime, Span, Ts, VolRegime};
use barograph_engine::advice::{
    AdviceContext, CONSERVATIVE_CARD, CascadeNote, PositionContext, PositionWatch, Staleness, Words, register,
};
use barograph_engine::explain::{Care, StopCare};
use barograph_testkit::Voice;

fn position() -> Position {
    let new = NewPosition {
        symbol: "BTCUSDT".to_owned(),
        side: "LONG".to_owned(),
        entry: 50_000.0,
        stop: Some(49_160.0),
        ..NewPosition::default()
    };
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    register(&new, name, NOW, PositionBook::User, None).unwrap()
}

/// A market that goes from label to label, minute by minute.
struct Scene<'a> {
    watch: PositionWatch,
    position: Position,
    now: Ts,
    label: RiskRegime,
    since: Ts,
    volatility: VolRegime,
    stale: bool,
    price: Option<f64>,
    levels: &'a [Level],
    cascade: Option<CascadeNote<'a>>,
    care: Option<&'a StopCare>,
    words: Option<Words<'a>>,
}

fn scene(levels: &[Level]) -> Scene<'_> {
    Scene {
        watch: PositionWatch::default(),
        position: position(),
        now: NOW,
        label: RiskRegime::Normal,
        since: NOW - Span::hours(1),
        volatility: VolRegime::Stable,
        stale: false,
        price: calm(levels).price,
        levels,
        cascade: None,
        care: None,
        words: None,
    }
}

impl Scene<'_> {
    fn to(&mut self, label: RiskRegime) {
        (self.label, self.since) = (label, self.now);
    }
    fn after(&mut self, span: Span) -> Vec<PositionNotice> {
        self.now = self.now + span;
        let from = AdviceContext::of_label(self.now, self.label, self.since);
        let market = AdviceContext {
            now: self.now,
            risk: from.risk,
            bias: if self.stale { RiskBias::Conservative } else { from.bias },
            posture: from.posture,
            volatility: self.volatility,
            price: self.price,
            positions: self.care,
            words: self.words,
            stale: self.stale.then_some(Staleness { warning: "Data stale (6 minutes old)" }),
            ..calm(self.levels)
        };
        let ctx = PositionContext { market, volatility_since: None, cascade: self.cascade };
        // Each check goes through the serialised state: a restart between any two changes nothing.
        let text = serde_json::to_string(&self.watch).unwrap();
        self.watch = serde_json::from_str(&text).unwrap();
        self.watch.check(&self.position, &ctx)
    }
    fn minute(&mut self) -> String {
        said(&self.after(Span::mins(1)))
    }
    fn flag(&self) -> PositionFlag {
        self.watch.card(&self.position, Vec::new()).flag
    }
}

fn said(notices: &[PositionNotice]) -> String {
    let one = |n: &PositionNotice| format!("{}:{}:{}", n.trigger.name(), n.level.name(), n.repeat);
    notices.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_change_of_regime_and_its_notice() {
    use RiskRegime as R;
    let cases = [
        (R::Normal, R::SqueezeRisk, "risk_to_squeeze:HIGH:0 bias_conservative:INFO:0", PositionFlag::Yellow),
        (R::Normal, R::HighVol, "risk_to_high_vol:HIGH:0 bias_conservative:INFO:0", PositionFlag::Yellow),
        (R::Normal, R::ChopRisk, "risk_to_chop:MEDIUM:0 bias_conservative:INFO:0", PositionFlag::Yellow),
        (R::SqueezeRisk, R::HighVol, "risk_to_high_vol:HIGH:0", PositionFlag::Yellow),
        (R::ChopRisk, R::SqueezeRisk, "risk_to_squeeze:HIGH:0", PositionFlag::Yellow),
        (R::SqueezeRisk, R::Normal, "risk_to_normal:INFO:0", PositionFlag::None),
        (R::HighVol, R::Normal, "risk_to_normal:INFO:0", PositionFlag::None),
        (R::ChopRisk, R::Normal, "risk_to_normal:INFO:0", PositionFlag::None),
        (R::Normal, R::Unknown, "context_unavailable:MEDIUM:0", PositionFlag::Grey),
        (R::Normal, R::Normal, "", PositionFlag::None),
        (R::HighVol, R::HighVol, "", PositionFlag::Yellow),
    ];
    for (from, to, want, flag) in cases {
        let mut s = scene(&[]);
        s.to(from);
        assert_eq!(s.minute(), "", "what holds at first is no change");
        if from != to {
            s.to(to);
        }
        assert_eq!(s.minute(), want, "{from:?} to {to:?}");
        assert_eq!(s.flag(), flag, "{from:?} to {to:?}");
        for _ in 0..10 {
            assert_eq!(s.minute(), "", "{from:?} to {to:?}: once per episode");
        }
    }
}

#[test]
fn a_notice_has_both_contexts_and_its_words() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.to(RiskRegime::SqueezeRisk);
    let notices = s.after(Span::mins(1));
    let n = &notices[0];
    assert_eq!(n.text, "Market regime changed to squeeze risk, consider tightening stop");
    assert_eq!(
        (n.open_positions.as_str(), n.new_entries.as_str()),
        ("review, reduce or trail stop", "smaller size, wider stop or wait")
    );
    assert_eq!(n.old.as_ref().map(|c| (c.risk, c.risk_bias)), Some((RiskRegime::Normal, RiskBias::Neutral)));
    assert_eq!((n.new.risk, n.new.risk_bias), (RiskRegime::SqueezeRisk, RiskBias::Conservative));
    assert_eq!(notices[1].text, CONSERVATIVE_CARD);
    let card = s.watch.card(&s.position, notices.clone());
    assert_eq!(card.card.as_deref(), Some("Market context: CONSERVATIVE (high caution)"));
    assert_eq!(card.guidance.map(|g| g.open_positions).as_deref(), Some("review, reduce or trail stop"));
    assert_ne!(notices[0].notice_id, notices[1].notice_id);
}

/// A notice says the headline of its minute; one that stored none reads as one without.
#[test]
fn a_notice_has_the_headline_of_its_minute() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.to(RiskRegime::SqueezeRisk);
    let headline = "Squeeze risk, longs crowded. Uptrend, +0.3 % in 24 h.";
    s.words = Some(Words { headline, new_entries: "wait", open_positions: "review" });
    let told = s.after(Span::mins(1)).remove(0);
    assert_eq!(told.headline, headline);
    let mut stored = serde_json::to_value(&told).unwrap();
    stored.as_object_mut().unwrap().remove("headline");
    assert_eq!(serde_json::from_value::<PositionNotice>(stored).unwrap().headline, "");
}

#[test]
fn a_new_episode_is_a_new_notice_and_a_long_one_is_told_again_after_a_day() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.to(RiskRegime::HighVol);
    let first = s.after(Span::mins(1));
    s.after(Span::mins(30));
    s.to(RiskRegime::Normal);
    assert_eq!(s.minute(), "risk_to_normal:INFO:0");
    s.after(Span::mins(30));
    s.to(RiskRegime::HighVol);
    let second = s.after(Span::mins(1));
    assert_eq!(said(&second), "risk_to_high_vol:HIGH:0 bias_conservative:INFO:0");
    assert_ne!(first[0].notice_id, second[0].notice_id);
    assert_eq!(said(&s.after(Span::hours(24) - Span::mins(1))), "");
    let again = s.after(Span::mins(1));
    assert_eq!(said(&again), "risk_to_high_vol:HIGH:1");
    assert_eq!(again[0].text, "Market regime is still high volatility, review position size and stop");
    assert_eq!(s.minute(), "");
    assert_eq!(said(&s.after(Span::hours(24))), "risk_to_high_vol:HIGH:2");
}

#[test]
fn an_outage_is_told_and_a_change_behind_it_too() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.stale = true;
    let lost = s.after(Span::mins(1));
    assert_eq!(said(&lost), "context_unavailable:MEDIUM:0");
    assert_eq!(lost[0].text, "Market context unavailable: data stale (6 min old)");
    assert_eq!((s.minute().as_str(), s.flag()), ("", PositionFlag::Grey));
    s.stale = false;
    assert_eq!((s.minute().as_str(), s.flag()), ("", PositionFlag::None), "back to what it was is no notice");
    s.stale = true;
    assert_eq!(s.minute(), "context_unavailable:MEDIUM:0", "another outage");
    s.stale = false;
    s.to(RiskRegime::HighVol);
    let behind = s.after(Span::mins(1));
    assert_eq!(said(&behind), "risk_to_high_vol:HIGH:0 bias_conservative:INFO:0");
    assert_eq!(behind[0].old.as_ref().map(|o| o.stale), Some(false), "measured against the last usable reading");
}

#[test]
fn volatility_that_rises_a_class() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.volatility = VolRegime::HighVol;
    let up = s.after(Span::mins(1));
    assert_eq!(said(&up), "VOLATILITY_REGIME_CHANGE:MEDIUM:0");
    assert_eq!(up[0].text, "Moves grew from steady to larger (risk multiplier 1.2)");
    assert_eq!((s.minute().as_str(), s.flag()), ("", PositionFlag::Yellow));
    s.volatility = VolRegime::Extreme;
    assert_eq!(s.minute(), "VOLATILITY_REGIME_CHANGE:CRITICAL:0");
    s.volatility = VolRegime::Unknown;
    assert_eq!(s.minute(), "");
    s.volatility = VolRegime::Stable;
    assert_eq!((s.minute().as_str(), s.flag()), ("", PositionFlag::None), "down is no notice");
}

#[test]
fn a_level_that_forms_under_the_stop_and_a_cascade() {
    let old = level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5);
    let mut new = level(LevelType::SwingLow, 49_120.0, 49_150.0, 0.5);
    (new.formed_at, new.known_at) = (NOW + Span::mins(2), NOW + Span::mins(5));
    let levels = [old, new];
    let mut s = scene(&levels);
    for _ in 0..4 {
        assert_eq!(s.minute(), "", "the old one formed before the entry, the new one is not known yet");
    }
    let told = s.after(Span::mins(1));
    assert_eq!(said(&told), "stop_on_new_level:LOW:0");
    assert_eq!(told[0].text, "New liquidity level near your stop: swing low from 49,120 to 49,150");
    assert_eq!(s.minute(), "");
    let again = s.after(Span::hours(24));
    assert_eq!(said(&again), "stop_on_new_level:LOW:1");

    s.cascade =
        Some(CascadeNote { episode: s.now, level: NoticeLevel::Critical, text: "Liquidation cascade: 6.2 M in 8 min" });
    let cascade = s.after(Span::mins(1));
    assert_eq!(said(&cascade), "LIQUIDATION_CASCADE:CRITICAL:0");
    assert_eq!((s.minute().as_str(), s.flag()), ("", PositionFlag::Yellow));
    assert_eq!(said(&s.after(Span::hours(25))), "stop_on_new_level:LOW:2", "a cascade is not told again");
}

#[test]
fn many_positions_are_kept_apart_and_forgotten_when_closed() {
    let mut s = scene(&[]);
    s.after(Span::mins(1));
    s.to(RiskRegime::ChopRisk);
    assert!(!s.minute().is_empty());
    let other = Position { id: "other".to_owned(), ..position() };
    s.position = other;
    assert_eq!(s.minute(), "", "first seen in chop");
    assert!(s.watch.state("other").is_some());
    s.watch.retain(|id| id != "other");
    assert!(s.watch.state("other").is_none());
    assert_eq!(s.watch.card(&s.position, Vec::new()).context, None);
}

#[test]
fn what_can_be_registered() {
    let name = || InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    let good = NewPosition { symbol: "BTCUSDT".into(), side: "short".into(), entry: 100.0, ..NewPosition::default() };
    let p = register(&good, name(), NOW, PositionBook::File, None).unwrap();
    assert_eq!(
        p.id,
        register(&good, name(), NOW + Span::hours(1), PositionBook::File, None).unwrap().id,
        "the file's id stays"
    );
    let by_user = register(&good, name(), NOW, PositionBook::User, None).unwrap();
    assert_ne!(by_user.id, register(&good, name(), NOW + Span::hours(1), PositionBook::User, None).unwrap().id);
    // A stop past the entry is a trailed one, if the user says so.
    let trailed = NewPosition { stop: Some(90.0), confirm: true, ..good.clone() };
    assert!(register(&trailed, name(), NOW, PositionBook::User, None).is_ok());
    let bad = [
        (NewPosition { side: "up".into(), ..good.clone() }, "side is 'up': it must be long or short"),
        (NewPosition { entry: 0.0, ..good.clone() }, "entry is 0: it must be a number above zero"),
        (NewPosition { stop: Some(-1.0), ..good.clone() }, "stop is -1: it must be a number above zero"),
        (NewPosition { entry: 1e300, ..good.clone() }, "entry is 1e300: it must be a price between 1e-15 and 1e12"),
        (NewPosition { stop: Some(1e20), ..good.clone() }, "stop is 1e20: it must be a price between 1e-15 and 1e12"),
        (
            NewPosition { stop: Some(90.0), ..good.clone() },
            "stop 90 is below the entry 100 of a short: it must be above it; a stop that was trailed past the entry is \
             registered with confirm",
        ),
        (
            NewPosition { stop: Some(100.0), side: "long".into(), ..good.clone() },
            "stop 100 is at the entry 100 of a long: it must be below it; a stop that was trailed past the entry is \
             registered with confirm",
        ),
        (NewPosition { size: Some(0.0), ..good.clone() }, "size is 0: it must be a number above zero"),
        (
            NewPosition { opened_at: Some("2099-01-01T00:00:00Z".into()), ..good.clone() },
            "opened_at: 2099-01-01T00:00:00Z lies ahead",
        ),
        (
            NewPosition { id: Some(String::new()), ..good.clone() },
            "id is '': it must be 1 to 100 characters without control characters",
        ),
    ];
    for (new, want) in bad {
        let e = register(&new, name(), NOW, PositionBook::User, None).unwrap_err();
        assert_eq!(e.to_string(), want);
    }
    assert!(NoticeTrigger::ALL.len() == 10);
}

#[test]
fn an_entry_far_from_the_market_is_asked_about() {
    let name = || InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    let at = |price: f64, atr: Option<f64>| Some(SeenPrice { price, at: Some(NOW), atr });
    let of = |entry: f64, days: i64, confirm: bool| NewPosition {
        symbol: "BTCUSDT".into(),
        side: "long".into(),
        entry,
        opened_at: Some((NOW - Span::days(days)).to_string()),
        confirm,
        ..NewPosition::default()
    };
    // Entry, days ago, price, hourly range, then whether it is taken.
    let cases = [
        (220.0, 0, 2.4, Some(0.02), false),
        (2.6, 0, 2.4, Some(0.02), true),
        (3.1, 0, 2.4, None, false),
        (1.9, 0, 2.4, None, false),
        // A market that moves 5 % an hour moves that far within a day.
        (3.1, 0, 2.4, Some(0.12), true),
        // Half a year ago this was a price, another one was none even then.
        (1.2, 180, 2.4, Some(0.02), true),
        (0.02, 180, 2.4, Some(0.02), false),
    ];
    for (entry, days, price, atr, taken) in cases {
        let got = register(&of(entry, days, false), name(), NOW, PositionBook::User, at(price, atr));
        assert_eq!(got.is_ok(), taken, "{entry} {days} days ago at {price}: {got:?}");
        assert!(register(&of(entry, days, true), name(), NOW, PositionBook::User, at(price, atr)).is_ok());
    }
    let said = |entry| {
        let e = register(&of(entry, 0, false), name(), NOW, PositionBook::User, at(2.4, None)).unwrap_err();
        e.to_string()
    };
    let ask = "check symbol and price; if it is meant, register it with confirm";
    assert_eq!(said(220.0), format!("entry 220 is 92 times the market price of 2.4: {ask}"));
    assert_eq!(said(3.12), format!("entry 3.12 is 30 % above the market price of 2.4: {ask}"));
    assert_eq!(said(0.024), format!("entry 0.024 is 99 % below the market price of 2.4: {ask}"));
}

#[test]
fn a_reached_stop_is_told_once_and_is_never_nothing() {
    let mut s = scene(&[]);
    assert_eq!(s.minute(), "");
    let held = |s: &Scene<'_>| s.watch.card(&s.position, Vec::new());
    assert_eq!(held(&s).guidance.unwrap().open_positions, "no action needed");
    assert_eq!(held(&s).stop_state.unwrap().state, StopReach::Far);
    // The price goes to the stop, through it, hovers, and comes back.
    s.price = Some(49_300.0);
    assert_eq!(s.minute(), "");
    assert_eq!(held(&s).guidance.unwrap().open_positions, "stop is near: watch it");
    s.price = Some(48_178.0);
    let told = s.after(Span::mins(1));
    assert_eq!(said(&told), "stop_reached:HIGH:0");
    assert_eq!(told[0].text, "Stop 49,160 reached: price 48,180, 2.0 % beyond it");
    assert_eq!(told[0].open_positions, "stop reached: close or reset it, as your plan says");
    let passed = |price: f64| {
        let mut s = scene(&[]);
        s.minute();
        s.price = Some(price);
        s.after(Span::mins(1)).remove(0).text
    };
    assert_eq!(passed(49_150.0), "Stop 49,160 reached: price 49,150, less than 0.1 % beyond it");
    for price in [49_100.0, 49_200.0, 48_000.0] {
        s.price = Some(price);
        assert_eq!(s.minute(), "", "one episode at {price}");
        let card = held(&s);
        assert_eq!((card.flag, card.stop_state.unwrap().state), (PositionFlag::Yellow, StopReach::Reached));
        assert!(!card.guidance.unwrap().open_positions.contains("no action"));
    }
    assert_eq!(said(&s.after(Span::hours(24))), "stop_reached:HIGH:1", "again after a day while it lasts");
    s.price = Some(50_500.0);
    assert_eq!(s.minute(), "");
    assert_eq!((s.flag(), held(&s).stop_state.unwrap().state), (PositionFlag::None, StopReach::Far));
    s.price = Some(49_000.0);
    assert_eq!(s.minute(), "stop_reached:HIGH:0", "another episode");
}

#[test]
fn a_position_registered_beyond_its_stop_is_told_at_once() {
    let mut s = scene(&[]);
    s.price = Some(49_000.0);
    assert_eq!(s.minute(), "stop_reached:HIGH:0");
    // A price from before the position, of a market that says nothing now, is shown and not reported.
    let mut s = scene(&[]);
    (s.price, s.stale) = (Some(49_000.0), true);
    s.position.opened_at = s.now + Span::days(1);
    assert_eq!(s.minute(), "context_unavailable:MEDIUM:0");
    assert_eq!(s.watch.card(&s.position, Vec::new()).stop_state.unwrap().state, StopReach::Reached);
}

/// With a posture table cards and notices follow all axes and the position's own stop, not the risk label alone.
#[test]
fn a_posture_table_speaks_on_cards_and_in_notices() {
    let care = |posture, bias, held: &str| Care {
        by_table: true,
        bias,
        posture,
        new_entries: format!("entries {}", posture.name()),
        open_positions: held.to_owned(),
    };
    let calm_market = StopCare {
        far: care(Posture::Normal, RiskBias::Neutral, "no action needed"),
        near: care(Posture::Hold, RiskBias::Conservative, "stop near: decide before it is reached"),
        reached: care(Posture::Reduce, RiskBias::Conservative, "stop reached: act on your plan"),
    };
    let trending = StopCare {
        far: care(Posture::Hold, RiskBias::Neutral, "positions against the move: review or reduce"),
        ..calm_market.clone()
    };
    let card = |s: &Scene<'_>| s.watch.card(&s.position, Vec::new());
    let mut s = scene(&[]);
    s.care = Some(&calm_market);
    assert_eq!(s.minute(), "");
    assert_eq!(
        (s.flag(), card(&s).guidance.unwrap().open_positions.as_str()),
        (PositionFlag::None, "no action needed")
    );
    // The risk label stays NORMAL; another axis asks for care.
    s.care = Some(&trending);
    assert_eq!(s.minute(), "");
    let told = card(&s);
    assert_eq!((told.flag, told.context.unwrap().posture), (PositionFlag::Yellow, Posture::Hold));
    let words = told.guidance.unwrap();
    assert_eq!(words.open_positions, "positions against the move: review or reduce");
    assert_eq!(words.new_entries, "entries HOLD");
    // Its own stop comes from the table; what another position's stop asks for is not in its context.
    s.price = Some(49_300.0);
    assert_eq!(s.minute(), "");
    assert_eq!(card(&s).guidance.unwrap().open_positions, "stop near: decide before it is reached");
    s.price = Some(48_178.0);
    let told = s.after(Span::mins(1));
    assert_eq!(said(&told), "stop_reached:HIGH:0");
    assert_eq!(told[0].open_positions, "stop reached: act on your plan");
    assert_eq!((told[0].new.posture, told[0].new.risk_bias), (Posture::Hold, RiskBias::Neutral));
    // What was said stands after a restart, also where nothing is known of the market any more.
    let text = serde_json::to_string(s.watch.state(&s.position.id).unwrap()).unwrap();
    let mut after = PositionWatch::default();
    after.restore(&s.position.id, serde_json::from_str(&text).unwrap());
    assert_eq!(after.card(&s.position, Vec::new()), card(&s));
}

/// The bias follows all axes: under one risk label it can turn again and again, and each turn is reported once.
#[test]
fn each_turn_to_conservative_is_told_under_one_risk_label() {
    let care = |bias, posture| Care {
        by_table: true,
        bias,
        posture,
        new_entries: String::new(),
        open_positions: String::new(),
    };
    let of = |care: Care| StopCare { far: care.clone(), near: care.clone(), reached: care };
    let calm = of(care(RiskBias::Neutral, Posture::Normal));
    let explosive = of(care(RiskBias::Conservative, Posture::Reduce));
    // The level at the stop lasts through all of it and is not reported anew, however often the bias turns.
    let mut new = level(LevelType::SwingLow, 49_120.0, 49_150.0, 0.5);
    (new.formed_at, new.known_at) = (NOW + Span::mins(1), NOW + Span::mins(1));
    let levels = [new];
    let mut s = scene(&levels);
    s.care = Some(&calm);
    assert_eq!(s.minute(), "stop_on_new_level:LOW:0");
    for turn in 0..70 {
        s.care = Some(&explosive);
        assert_eq!(s.minute(), "bias_conservative:INFO:0", "turn {turn}");
        assert_eq!(s.minute(), "", "turn {turn}: told once");
        s.care = Some(&calm);
        assert_eq!(s.minute(), "", "turn {turn}");
    }
}

/// The catalogue of what notices of positions say; with `--nocapture` it is printed.
#[test]
fn no_notice_has_a_private_word() {
    let mut voice = Voice::default();
    let mut take = |notices: &[PositionNotice]| {
        for n in notices {
            let what = format!("notice: {}", n.trigger.name());
            voice.check_each(&what, &n.text);
            voice.check_each("headline", &n.headline);
            voice.check("new entries", &n.new_entries);
            voice.check("open positions", &n.open_positions);
        }
    };
    for from in RiskRegime::ALL {
        for to in RiskRegime::ALL {
            let mut s = scene(&[]);
            s.to(from);
            take(&s.after(Span::mins(1)));
            s.to(to);
            take(&s.after(Span::mins(1)));
            take(&s.after(Span::days(1)));
            s.stale = true;
            take(&s.after(Span::mins(1)));
            s.stale = false;
            take(&s.after(Span::mins(1)));
        }
    }
    for from in VolRegime::ALL {
        for to in VolRegime::ALL {
            let mut s = scene(&[]);
            s.volatility = *from;
            take(&s.after(Span::mins(1)));
            s.volatility = *to;
            take(&s.after(Span::mins(1)));
        }
    }
    let levels = [level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.9)];
    let mut s = scene(&[]);
    take(&s.after(Span::mins(1)));
    s.levels = &levels;
    take(&s.after(Span::mins(1)));
    s.price = Some(49_000.0);
    take(&s.after(Span::mins(1)));
    println!("{}", voice.catalogue());
    assert!(voice.len() > 25, "only {} templates: part of the catalogue is gone", voice.len());
    let faults = voice.faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

//! Registered positions: what is put in comes out, at the moment it was there; what was reported stays.

use super::{Factory, Site};
use crate::position::{NoticeQuery, PositionWriter, Registered, WatchState};
use crate::{Reader, WriterRole};
use barograph_domain::advice::{
    ContextBrief, NoticeLevel, NoticeTrigger, Position, PositionBook, PositionFlag, PositionNotice,
};
use barograph_domain::{InstrumentName, Posture, RiskBias, RiskRegime, Side, Span, Ts, VolRegime};

const T0: Ts = Ts(1_770_000_000_000_000_000);

/// A registered position.
#[must_use]
pub fn position(id: &str, entry: f64) -> Position {
    Position {
        id: id.to_owned(),
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        side: Side::Short,
        entry,
        stop: Some(entry * 1.02),
        size: None,
        strategy: Some("swing — “late”".to_owned()),
        opened_at: T0 - Span::hours(3),
        registered_by: PositionBook::User,
    }
}

/// A notice about it.
#[must_use]
pub fn notice(id: &str, position: &str, ts: Ts) -> PositionNotice {
    let context = ContextBrief {
        timestamp: ts,
        snapshot_id: "s".to_owned(),
        risk: RiskRegime::HighVol,
        since: ts,
        risk_bias: RiskBias::Conservative,
        posture: Posture::Reduce,
        volatility: Some(VolRegime::Extreme),
        price: Some(0.1 + 0.2),
        price_at: None,
        stale: false,
    };
    PositionNotice {
        notice_id: id.to_owned(),
        position_id: position.to_owned(),
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        timestamp: ts,
        trigger: NoticeTrigger::HighVol,
        level: NoticeLevel::High,
        flag: PositionFlag::Yellow,
        text: "Market regime changed to HIGH_VOL".to_owned(),
        headline: "Extreme volatility.".to_owned(),
        open_positions: "review".to_owned(),
        new_entries: "wait".to_owned(),
        episode: ts,
        repeat: 0,
        old: None,
        new: context,
    }
}

fn open(factory: &dyn Factory) -> (Box<dyn Site>, Box<dyn PositionWriter>, Box<dyn Reader>) {
    let site = factory.site();
    let writer = site.positions().unwrap();
    let reader = site.reader().unwrap();
    (site, writer, reader)
}

fn ids(positions: &[Position]) -> Vec<&str> {
    positions.iter().map(|p| p.id.as_str()).collect()
}

/// Put, put again, changed, removed, put once more; and what was registered at each moment.
pub fn positions_come_and_go(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let at = |m| T0 + Span::mins(m);
    let (a, b) = (position("a", 50_000.0), position("b", 0.1 + 0.2));
    assert_eq!(writer.put_position(&a, at(1)).unwrap(), Registered::New);
    assert_eq!(writer.put_position(&b, at(2)).unwrap(), Registered::New);
    assert_eq!(writer.put_position(&a, at(3)).unwrap(), Registered::Same);
    let moved = Position { stop: Some(51_500.0), ..a.clone() };
    assert_eq!(writer.put_position(&moved, at(4)).unwrap(), Registered::Changed);
    assert_eq!(reader.positions(None).unwrap(), [moved.clone(), b.clone()], "every bit, in order of registration");
    assert!(writer.remove_position("a", at(5)).unwrap());
    assert!(!writer.remove_position("a", at(6)).unwrap(), "gone already");
    assert!(!writer.remove_position("c", at(6)).unwrap(), "never there");
    let known = |m| reader.positions(Some(at(m))).unwrap();
    assert_eq!(ids(&known(0)), Vec::<&str>::new());
    assert_eq!(ids(&known(1)), ["a"]);
    assert_eq!(ids(&known(4)), ["a", "b"]);
    assert_eq!(ids(&known(5)), ["b"]);
    assert_eq!(writer.put_position(&a, at(7)).unwrap(), Registered::New);
    assert_eq!(ids(&reader.positions(None).unwrap()), ["b", "a"]);
}

/// Repeated checks store a notice once; the memory of a position goes with it, its notices do not.
pub fn notices_stay_and_memory_goes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    writer.put_position(&position("a", 1.0), T0).unwrap();
    let state = |text: &str| [WatchState { position: "a".to_owned(), state: text.to_owned() }];
    let first = [notice("n1", "a", T0 + Span::mins(1)), notice("n2", "b", T0 + Span::mins(2))];
    writer.record_check(&state("{\"x\":1}"), &first, &[]).unwrap();
    let again =
        [PositionNotice { text: "other".to_owned(), ..first[0].clone() }, notice("n3", "a", T0 + Span::mins(3))];
    writer.record_check(&state("{\"x\":2}"), &again, &[]).unwrap();
    assert_eq!(reader.position_states().unwrap(), state("{\"x\":2}"));
    let ask = |position: Option<&str>, as_of, limit| {
        let query = NoticeQuery { position: position.map(str::to_owned), instrument: None, as_of, limit };
        reader.notices(&query).unwrap()
    };
    let found = ask(None, None, 10);
    assert_eq!(found.iter().map(|n| n.notice_id.as_str()).collect::<Vec<_>>(), ["n3", "n2", "n1"]);
    assert_eq!(found[2], first[0], "what was told stays as it was told");
    assert_eq!(ask(Some("a"), None, 10).len(), 2);
    assert_eq!(ask(None, Some(T0 + Span::mins(2)), 10).len(), 2);
    assert_eq!(ask(None, None, 1)[0].notice_id, "n3");
    let of = |name: &str| {
        let instrument = Some(InstrumentName::parse(name).unwrap());
        reader.notices(&NoticeQuery { position: None, instrument, as_of: None, limit: 9 }).unwrap().len()
    };
    assert_eq!((of("binance-usdm:BTCUSDT"), of("bybit:BTCUSDT")), (3, 0));
    writer.remove_position("a", T0 + Span::mins(4)).unwrap();
    assert_eq!(reader.position_states().unwrap(), []);
    writer.record_check(&state("{\"x\":3}"), &[], &[]).unwrap();
    assert_eq!(reader.position_states().unwrap(), [], "of a position that is gone nothing is remembered");
    assert_eq!(ask(None, None, 10).len(), 3);
}

/// Positions are the user's: the content of the store is the same with and without them; no role is needed.
pub fn positions_are_no_part_of_the_content(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let before = super::hash(&*reader);
    let busy = site.writer(&WriterRole::ALL).unwrap();
    writer.put_position(&position("a", 1.0), T0).unwrap();
    writer.record_check(&[], &[notice("n", "a", T0)], &[]).unwrap();
    drop(busy);
    assert_eq!(super::hash(&*reader), before);
}

//! The two tools that exist in a session only: the clock goes on, and a forecast is put on record.

use super::{LockedTool, SessionState};
use crate::answer::ToolAnswer;
use crate::args::{ArgKind, Param, ToolArgs};
use crate::ask;
use crate::fault::CallFault;
use barograph_api::Inside;
use barograph_api::agent_sessions::SessionBasis;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{Span, Ts};
use barograph_verify::ledger::GRID;
use serde_json::Value;

pub(super) const ADVANCE: &str = "advance";
/// The tool that puts a forecast on record.
pub const FORECAST: &str = "forecast";

/// Both tools.
pub(crate) const LOCKED_TOOLS: [LockedTool; 2] = [
    LockedTool {
        name: ADVANCE,
        about: "Moves the clock of this session forward, by minutes or to the next event of a kind. It never goes back.",
        params: &[
            Param::new("minutes", ArgKind::Whole(1, 525_600), ""),
            Param::new("to_next", ArgKind::Text, "a pattern, as in REGIME_CHANGE"),
            Param::new("market", ArgKind::Text, "of that event, default any"),
        ],
    },
    LockedTool {
        name: FORECAST,
        about: "Puts a probability on record: that the event happens in its window, which begins at the next five minutes. Once for each case.",
        params: &[
            Param::new("market", ArgKind::Text, "venue:symbol").needed(),
            Param::new("event", ArgKind::Word(&EVENTS), "").needed(),
            Param::new("probability", ArgKind::Number, "0 to 1").needed(),
            Param::new("reason", ArgKind::Text, "at most 280 characters"),
        ],
    },
];

/// Events that are registered of every market on the grid.
const EVENTS: [&str; 7] = ["hv_1h", "squeeze_4h", "chop_4h", "calm_4h", "trend_up_24h", "trend_down_24h", "vol_up_24h"];
const REASON_MAX: usize = 280;

pub(super) async fn advance(
    basis: &SessionBasis,
    state: &mut SessionState,
    inside: &Inside,
    args: &ToolArgs,
) -> Result<ToolAnswer, CallFault> {
    let before = state.clock;
    let mut answer = ToolAnswer::default();
    let wanted = match (args.whole("minutes"), args.text("to_next")) {
        (Some(minutes), None) => before + Span::mins(i64::try_from(minutes).unwrap_or(i64::MAX)),
        (None, Some(pattern)) => next(basis, before, inside, args, pattern).await?.unwrap_or(basis.until),
        _ => return Err(CallFault::new("give either minutes or to_next")),
    };
    // To the whole second behind it: nobody asks for a part of one.
    let second = wanted.floor(Span::secs(1));
    let wanted = if second < wanted { second + Span::secs(1) } else { wanted };
    state.clock = wanted.min(basis.until);
    answer.exact("clock", state.clock.iso());
    answer.field("moved_minutes", (state.clock - before).as_secs() / 60);
    answer.exact("until", basis.until.iso());
    if state.clock == basis.until {
        answer.field("note", "the session has ended: the clock goes no further");
    }
    Ok(answer)
}

/// When the next event of a kind was known. That it comes is known once the clock is there.
async fn next(
    basis: &SessionBasis,
    clock: Ts,
    inside: &Inside,
    args: &ToolArgs,
    pattern: &str,
) -> Result<Option<Ts>, CallFault> {
    let (start, end) = ((clock + Span(1)).iso(), basis.until.iso());
    let parameters = [
        ("pattern", Some(pattern)),
        ("market", args.text("market")),
        ("start", Some(start.as_str())),
        ("end", Some(end.as_str())),
        ("order", Some("asc")),
        ("limit", Some("1")),
    ];
    let found = ask::json(inside, &ask::address("/api/v1/events", &parameters), None).await?;
    Ok(found["items"][0]["known_at"].as_str().and_then(|text| Ts::parse(text).ok()))
}

pub(super) async fn forecast(
    basis: &SessionBasis,
    state: &mut SessionState,
    inside: &Inside,
    args: &ToolArgs,
) -> Result<ToolAnswer, CallFault> {
    let probability = args.number("probability").unwrap_or_default();
    if !(0.0..=1.0).contains(&probability) {
        return Err(CallFault::new(format!("probability: {probability} is not between 0 and 1")));
    }
    if args.needed("reason").chars().count() > REASON_MAX {
        return Err(CallFault::new(format!("reason: it has more than {REASON_MAX} characters")));
    }
    let event = ForecastEvent::from_id(args.needed("event")).ok_or_else(|| CallFault::new("event: it is not known"))?;
    let as_of = state.clock.iso();
    let address = format!("/api/v1/markets/{}/context", ask::segment(args.needed("market")));
    let context = ask::json(inside, &ask::address(&address, &[("as_of", Some(&as_of))]), None).await?;
    let market = context["instrument"].as_str().unwrap_or_default().to_owned();
    // What is known now is not known of a case that has begun.
    let begins = state.clock.floor(GRID);
    let begins = if begins < state.clock { begins + GRID } else { begins };
    let ends = begins + event.horizon().unwrap_or(GRID);
    if ends > basis.until {
        return Err(CallFault::new(format!(
            "the window of {} would end at {ends}, after this session does, {}",
            event.id(),
            basis.until
        )));
    }
    let case = (event.id().to_owned(), market.clone(), begins);
    if state.stated.contains(&case) {
        return Err(CallFault::new(format!(
            "{} of {market} from {begins} on is on record already; it stands",
            event.id()
        )));
    }
    state.stated.push(case);
    let mut answer = ToolAnswer::default();
    answer.field("on_record", event.id());
    answer.field("market", market);
    answer.exact("probability", probability);
    answer.exact("window_begins", begins.iso());
    answer.exact("window_ends", ends.iso());
    answer.field("count", Value::from(state.stated.len()));
    Ok(answer)
}

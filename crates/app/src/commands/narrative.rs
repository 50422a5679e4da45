//! `narrative`: the last 24 hours of a market in a few sentences. Ours, unless a language model that the reader has named phrases them and
//! says nothing but the facts (R4.44).

use crate::cli::NarrativeArgs;
use crate::clock;
use crate::commands::{context, market, reader};
use crate::config::Settings;
use crate::failure::Failure;
use crate::narrative_log;
use crate::setup::book_id;
use crate::term::{Paint, fold, minute};
use barograph_api::{EventFilter, SeriesWindow};
use barograph_domain::text::{escape_control, number_of};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_notify::ask::{AskedService, ask};
use barograph_notify::secret::redacted;
use barograph_notify::transport::{ReceiverReply, Transport};
use barograph_query::events::{Kept, page};
use barograph_query::narrative::record::{NarrativeRecord, NarrativeVerdict, digest};
use barograph_query::narrative::{NarrativeDay, NarrativeFacts, check, own, prompt};
use barograph_query::render::{Books, features};
use barograph_query::service::configured_run;
use barograph_store::Reader;
use std::io::Write as _;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Markets that are summed up without being named: each may be a question to a service that has its price.
const MARKETS_MAX: usize = 10;
/// Records of alerts of a day that are read; a day with more is no less of a storm.
const EVENTS_MAX: usize = 1_000;
/// Longest reason of a service that is printed.
const REASON_MAX: usize = 160;

/// A market's day.
struct MarketDay {
    market: InstrumentName,
    until: Ts,
    logic_version: String,
    facts: NarrativeFacts,
}

/// Who is asked, and for which model.
struct Phraser<'a> {
    service: &'a AskedService,
    model: &'a str,
    settings: &'a Settings,
    runtime: tokio::runtime::Runtime,
    transport: Transport,
}

pub(crate) fn run(args: &NarrativeArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let phraser = if args.own { None } else { phraser(settings)? };
    let reader = reader(settings)?;
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let markets = match &args.name {
        Some(name) => vec![market(reader.as_ref(), settings, name)?],
        None if known.is_empty() => {
            return Err(Failure::usage("nothing is stored yet; record with: barograph up, or try barograph demo"));
        }
        None if known.len() > MARKETS_MAX => {
            let n = known.len();
            return Err(Failure::usage(format!(
                "{n} markets are stored; say which, as in: barograph narrative BTCUSDT"
            )));
        }
        None => known,
    };
    for market in markets {
        let day = day(reader.as_ref(), settings, market, args.as_of)?;
        let mine = own::own(&day.facts);
        let (text, answered) = match &phraser {
            None => (mine, None),
            Some(phraser) => {
                let record = phraser.phrase(&day)?;
                let text = record.answer.clone().filter(|_| record.verdict == NarrativeVerdict::Phrased.word());
                (text.unwrap_or(mine), Some(record))
            }
        };
        print(&day, &text, phraser.as_ref().zip(answered.as_ref()), json)?;
    }
    Ok(())
}

/// Nobody where no service is named.
fn phraser(settings: &Settings) -> Result<Option<Phraser<'_>>, Failure> {
    let Some(service) = &settings.narrative_url else { return Ok(None) };
    let model = settings.narrative_model.as_deref().ok_or_else(|| {
        Failure::usage(format!(
            "narrative_url names {service}, but narrative_model is not set; write the model's name there"
        ))
    })?;
    let runtime = super::serve::runtime()?;
    let transport = Transport::new().map_err(Failure::Broken)?;
    Ok(Some(Phraser { service, model, settings, runtime, transport }))
}

/// The facts of a market's day. Positions of the user are left out: the lens holds none.
fn day(
    reader: &dyn Reader,
    settings: &Settings,
    market: InstrumentName,
    as_of: Option<Ts>,
) -> Result<MarketDay, Failure> {
    let (lens, rows) = context::newest(reader, settings, &market, as_of)?;
    let Some((row, before)) = rows.split_last() else {
        return Err(Failure::usage(format!("{market} has no snapshot")));
    };
    let snapshot = match as_of {
        Some(moment) => lens.as_of(row, before.last(), moment),
        None => lens.snapshot(row, before.last()),
    };
    let runs = reader.runs_of(&market, None)?;
    let mut books = Books::default();
    let own = configured_run(&runs, &market, &book_id(settings)?);
    let kept: Vec<Kept<'_>> = own.into_iter().map(|run| Kept::of(&mut books, run)).collect();
    let window = SeriesWindow {
        start: Some(NarrativeDay::begins(row.ts)),
        end: Some(row.ts + Span::secs(1)),
        every: None,
        skip: 0,
        limit: EVENTS_MAX,
        as_of,
    };
    let filter = EventFilter { newest_first: true, ..EventFilter::default() };
    let mut events = page(reader, &kept, &filter, &window)?.items;
    events.reverse();
    let readings = features(row, &lens);
    let facts = NarrativeFacts::of(&NarrativeDay { snapshot: &snapshot, readings: &readings, events: &events });
    Ok(MarketDay { until: row.ts, logic_version: snapshot.logic_version, market, facts })
}

impl Phraser<'_> {
    /// Asks, judges the answer, and keeps both.
    fn phrase(&self, day: &MarketDay) -> Result<NarrativeRecord, Failure> {
        let request = prompt::request(self.model, &day.facts);
        let key = self.settings.narrative_key.as_ref();
        // Asked once it is known that the answer can be kept.
        let mut log = narrative_log::open(&self.settings.data)?;
        let body = request.to_string().into_bytes();
        let reply = self.runtime.block_on(ask(&self.transport, self.service, key, body));
        let hidden = |text: &str| redacted(text, key.map(|key| key.expose()));
        let text = match reply {
            Ok(reply) if reply.status == 200 => prompt::answer(&reply.body),
            Ok(reply) => Err(hidden(&refused(&reply))),
            Err(e) => Err(hidden(&e.to_string())),
        };
        let (answer, verdict) = match text {
            Err(why) => (None, NarrativeVerdict::Unanswered(why)),
            Ok(text) => {
                let text = hidden(&text);
                match check(&text, &day.facts) {
                    Ok(()) => (Some(text), NarrativeVerdict::Phrased),
                    Err(faults) => (Some(text), NarrativeVerdict::Refused(faults)),
                }
            }
        };
        let record = NarrativeRecord {
            ts: clock::now(),
            market: day.market.to_string(),
            minute: day.until,
            logic_version: day.logic_version.clone(),
            service: self.service.to_string(),
            sha256: digest(&request, answer.as_deref()),
            request,
            answer,
            verdict: verdict.word(),
            reasons: verdict.reasons(),
        };
        narrative_log::append(&mut log, &record)?;
        Ok(record)
    }
}

/// What a service says when it does not answer the question.
fn refused(reply: &ReceiverReply) -> String {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let message = body.pointer("/error/message").or_else(|| body.get("error")).and_then(|m| m.as_str());
    let why = message.map_or_else(String::new, |m| {
        let short: String = m.chars().take(REASON_MAX).collect();
        format!(": {}", escape_control(&short))
    });
    format!("the service answered {}{why}", reply.status)
}

fn print(
    day: &MarketDay,
    text: &str,
    asked: Option<(&Phraser<'_>, &NarrativeRecord)>,
    json: bool,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let facts = day.facts.items.len();
    let phrased = asked.filter(|(_, record)| record.verdict == NarrativeVerdict::Phrased.word());
    if json {
        let line = serde_json::json!({
            "market": day.market,
            "minute": day.until,
            "text": text,
            "phrased_by": phrased.map(|(phraser, _)| phraser.model),
            "verdict": asked.map(|(_, record)| record.verdict),
            "reasons": asked.map(|(_, record)| &record.reasons),
            "sha256": asked.map(|(_, record)| &record.sha256),
            "facts": day.facts.items,
        });
        return Ok(writeln!(out, "{line}")?);
    }
    let paint = Paint::detect();
    writeln!(out, "{}  {}", paint.strong(&day.market.to_string()), minute(day.until))?;
    // A model may have made paragraphs.
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    writeln!(out, "{}", fold(&line, WIDTH - 1, " "))?;
    let of = number_of(facts, "fact");
    let note = match (phrased, asked) {
        (Some((phraser, _)), _) => format!("phrased by {} from {of}", phraser.model),
        (None, Some((phraser, record))) => {
            let why = record.reasons.join("; ");
            match &record.answer {
                Some(_) => format!("our own sentences, from {of}; the text of {} was refused: {why}", phraser.model),
                None => format!("our own sentences, from {of}; {} has written nothing: {why}", phraser.model),
            }
        }
        (None, None) => format!("our own sentences, from {of}"),
    };
    Ok(writeln!(out, "{}", paint.faint(&fold(&note, WIDTH - 1, " ")))?)
}

//! The tools, one file each: which arguments it takes, which routes it asks, and in which order it says what they answer.

mod advise;
mod catalogue;
mod context;
mod events;
mod feeds;
mod history;
mod levels;
mod markets;
mod scorecard;
mod similar;
mod universe;
mod whatif;

use crate::answer::ToolAnswer;
use crate::args::{AS_OF, ArgKind, BUDGET, CURSOR, Param, ToolArgs, schema};
use crate::ask;
use crate::budget::{FittedAnswer, fit};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use crate::locked::digest;
use crate::mask::Mask;
use barograph_api::Inside;
use barograph_domain::Ts;
use core::pin::Pin;
use serde_json::{Map, Value};

/// The market that most tools are about.
const MARKET: Param = Param::new("market", ArgKind::Text, "venue:symbol, or a symbol that one venue has").needed();

type Answering<'a> = Pin<Box<dyn Future<Output = Result<ToolAnswer, CallFault>> + Send + 'a>>;

/// A tool as it is declared.
pub(crate) struct ToolSpec {
    pub(crate) name: &'static str,
    /// What it asks and answers; read with every list of tools, so it is short.
    pub(crate) about: &'static str,
    /// Besides `as_of`, `budget` and, with rows, `cursor`.
    params: &'static [Param],
    has_rows: bool,
    run: for<'a> fn(&'a ToolCall<'a>) -> Answering<'a>,
}

/// All tools, in the order in which they are listed.
pub(crate) const TOOLS: [ToolSpec; 12] = [
    markets::TOOL,
    context::TOOL,
    history::TOOL,
    levels::TOOL,
    advise::TOOL,
    events::TOOL,
    universe::TOOL,
    scorecard::TOOL,
    similar::TOOL,
    whatif::TOOL,
    feeds::TOOL,
    catalogue::TOOL,
];

impl ToolSpec {
    /// Every argument.
    fn params(&self) -> Vec<Param> {
        let rows = self.has_rows.then_some(CURSOR);
        self.params.iter().copied().chain([AS_OF, BUDGET]).chain(rows).collect()
    }

    /// Its arguments as a JSON Schema.
    pub(crate) fn schema(&self) -> Value {
        schema(&self.params())
    }

    /// Answers a call within its budget. Under a mask it is asked and answered in masked terms, and this is where they are real ones.
    pub(crate) async fn call(
        &self,
        inside: &Inside,
        given: Map<String, Value>,
        mask: Option<&Mask>,
    ) -> Result<FittedAnswer, CallFault> {
        let args = ToolArgs::read(given, &self.params())?;
        // A cursor is bound to what was asked, in the terms in which it was.
        let place = Place::read(args.text(CURSOR.name), self.name, &args)?;
        let budget = args.budget();
        let (bound, from) = (place.bound, place.from);
        let mut answer = match mask {
            None => self.run(inside, args, RowsWanted { from, skip: from, most: budget / ROW_LEAST + 1 }).await?,
            Some(mask) => {
                let args = mask.asked(self.name, &args)?;
                let market = args.text(MARKET.name).map(str::to_owned);
                let id = mask.real_id(self.name, &args).map(str::to_owned);
                // What is put into another order first is read whole.
                let skip = if mask.sorts(self.name) { 0 } else { from };
                let wanted = RowsWanted { from, skip, most: usize::MAX };
                let answer = self.run(inside, args, wanted).await.map_err(|fault| mask.fault(fault, id.as_deref()))?;
                mask.answer(self.name, market.as_deref(), answer, from)
            }
        };
        answer.from = from;
        let next = |row| (self.has_rows && row > from).then(|| Place { from: row, bound: bound.clone() }.text());
        Ok(fit(&answer, budget, next))
    }

    async fn run(&self, inside: &Inside, args: ToolArgs, wanted: RowsWanted) -> Result<ToolAnswer, CallFault> {
        let as_of = args.as_of().map(moment).transpose()?;
        let RowsWanted { from, skip, most } = wanted;
        let call = ToolCall { inside, args, as_of, from, skip, most };
        (self.run)(&call).await
    }
}

/// Which rows of a list are wanted.
#[derive(Clone, Copy)]
struct RowsWanted {
    from: usize,
    skip: usize,
    most: usize,
}

/// A call that is under way.
pub(crate) struct ToolCall<'a> {
    inside: &'a Inside,
    args: ToolArgs,
    /// The moment asked about; `None`: now.
    as_of: Option<Ts>,
    /// The first row wanted.
    from: usize,
    /// Rows that the tool leaves out before the first: all of them, or none where they are put into another order first.
    skip: usize,
    /// Rows that there is room for at most.
    most: usize,
}

impl ToolCall<'_> {
    /// What a route of the version 1 answers, as of the moment asked about where it can be asked about one.
    async fn get(&self, path: &str, parameters: &[(&str, Option<&str>)]) -> Result<Value, CallFault> {
        self.get_parts(path, parameters, ShownParts::All).await
    }

    /// Parts of the same: those that are shown.
    async fn get_parts(
        &self,
        path: &str,
        parameters: &[(&str, Option<&str>)],
        keep: ShownParts<'_>,
    ) -> Result<Value, CallFault> {
        let with: Vec<(&str, Option<&str>)> =
            parameters.iter().copied().chain([("as_of", self.args.as_of())]).collect();
        ask::parts(self.inside, &ask::address(&format!("/api/v1/{path}"), &with), None, keep).await
    }

    /// The same of one that knows the present alone.
    async fn get_now(
        &self,
        path: &str,
        parameters: &[(&str, Option<&str>)],
        keep: ShownParts<'_>,
    ) -> Result<Value, CallFault> {
        ask::parts(self.inside, &ask::address(&format!("/api/v1/{path}"), parameters), None, keep).await
    }

    /// What a route answers that is sent something.
    async fn post(&self, path: &str, parameters: &[(&str, Option<&str>)], body: Value) -> Result<Value, CallFault> {
        ask::json(self.inside, &ask::address(&format!("/api/v1/{path}"), parameters), Some(body)).await
    }

    /// Seconds from a moment that an answer names until the moment asked about.
    async fn age_s(&self, of: &Value) -> Result<Value, CallFault> {
        let Some(of) = of.as_str().and_then(|text| Ts::parse(text).ok()) else { return Ok(Value::Null) };
        let asked = match self.as_of {
            Some(moment) => moment,
            None => moment(word(&self.get_now("clock", &[], ShownParts::Fields(&["now"])).await?, "now"))?,
        };
        Ok((asked - of).as_secs().into())
    }

    /// Refuses a place behind the last row that is read.
    fn within(&self, most: usize) -> Result<(), CallFault> {
        if self.from < most {
            return Ok(());
        }
        Err(CallFault::new(format!("cursor: the list ends after {most} rows here; narrow it with from and to")))
    }

    /// A part of the route of the market asked about.
    fn of_market(&self, part: &str) -> String {
        format!("markets/{}/{part}", ask::segment(self.args.needed(MARKET.name)))
    }

    /// These of the given arguments, as fields of a body.
    fn chosen(&self, names: &[(&str, &str)]) -> Map<String, Value> {
        let each = |(name, field): &(&str, &str)| Some(((*field).to_owned(), self.args.value(name)?.clone()));
        names.iter().filter_map(each).collect()
    }
}

/// Tokens that a row of the widest tables takes at least; of a narrower one fewer are read than there is room for, and a cursor goes on.
const ROW_LEAST: usize = 40;

/// Characters of a digest that tell lists apart.
const SEAL: usize = 8;

/// A place in a list: how many rows came before it, and which list it is.
struct Place {
    from: usize,
    bound: String,
}

impl Place {
    fn read(cursor: Option<&str>, tool: &str, args: &ToolArgs) -> Result<Self, CallFault> {
        let bound = digest(format!("{tool}\n{}", args.bound()).as_bytes()).chars().take(SEAL).collect::<String>();
        let Some(text) = cursor else { return Ok(Self { from: 0, bound }) };
        let (from, of) = text.split_once('-').unwrap_or((text, ""));
        match from.parse() {
            Ok(from) if of == bound => Ok(Self { from, bound }),
            Ok(_) => Err(CallFault::new(format!(
                "cursor: '{text}' belongs to another question; repeat the arguments of that call"
            ))),
            Err(_) => {
                Err(CallFault::new(format!("cursor: '{text}' is not a cursor; use next from the previous answer")))
            }
        }
    }

    fn text(&self) -> String {
        format!("{}-{}", self.from, self.bound)
    }
}

/// A moment as somebody wrote it.
fn moment(text: &str) -> Result<Ts, CallFault> {
    Ts::parse(text).map_err(|why| CallFault::new(format!("as_of: {why}")))
}

/// Some text of a value, else none.
fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list.
fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

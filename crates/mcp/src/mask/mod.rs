//! What hides which market, which price and which time it is, for agents that may know how it went (agents §4).
//!
//! Every tool passes through here twice: what the agent sends is put into real terms before the tool runs ([`Mask::asked`]), what the
//! tool answers into masked ones before it is cut to its budget ([`Mask::answer`], [`Mask::fault`]). [`kinds`] lists which fields
//! there are; one that is not on the list is left out. Returns stay what they are, so that whoever holds the prices of all markets
//! can find out which is which: the mask is against what is remembered, not against search.

mod answers;
mod draw;
mod kinds;
mod names;
mod sentences;

pub use draw::{mask_basis, seed_of};
pub use kinds::unclassified;

use crate::args::{AS_OF, ToolArgs};
use crate::fault::CallFault;
use barograph_api::agent_sessions::MaskBasis;
use barograph_domain::{Span, Ts};
use draw::Factors;
use kinds::{ArgumentKind, argument_kind, must_not_show_order};
use names::HiddenNames;
use serde_json::{Map, Value};

/// A mask that is on.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    /// Whole weeks, the same for everything.
    shift: Span,
    /// By market, in the order of their masked names.
    factors: Vec<Factors>,
    names: HiddenNames,
    /// What hides the digits of ids, one after the other.
    stream: Vec<u8>,
}

impl Mask {
    /// The mask that a basis describes.
    pub(crate) fn new(basis: &MaskBasis) -> Self {
        Self {
            shift: draw::shift(basis.seed),
            factors: basis.markets.iter().map(|market| Factors::draw(basis.seed, market)).collect(),
            names: HiddenNames::new(&basis.markets),
            stream: draw::stream(basis.seed),
        }
    }

    /// A moment as the agent sees it.
    pub(crate) fn shown(&self, real: Ts) -> Ts {
        Ts(real.0.saturating_add(self.shift.0))
    }

    /// A moment that the agent sees, as it was.
    pub(crate) fn real(&self, shown: Ts) -> Ts {
        Ts(shown.0.saturating_sub(self.shift.0))
    }

    /// The market of a masked name.
    pub(crate) fn market(&self, masked: &str) -> Result<&str, CallFault> {
        self.names.real(masked).ok_or_else(|| {
            let all = self.names.list();
            CallFault::new(format!("market: '{masked}' is no market of this session; there {all}"))
        })
    }

    /// An id as the agent sees it, and back: the same twice is the id itself. Its first characters stay its first characters.
    fn id(&self, id: &str) -> String {
        let digits = id.chars().zip(self.stream.iter().cycle());
        let hidden = digits.map(|(c, key)| match c.to_digit(16) {
            Some(digit) => char::from_digit(digit ^ u32::from(key & 15), 16).unwrap_or(c),
            None => c,
        });
        hidden.collect()
    }

    /// The id that these arguments in real terms ask for, where it is one that is hidden.
    pub(crate) fn real_id<'a>(&self, tool: &str, args: &'a ToolArgs) -> Option<&'a str> {
        args.text("id").filter(|_| argument_kind(tool, "id") == ArgumentKind::Id)
    }

    /// Arguments in real terms.
    pub(crate) fn asked(&self, tool: &str, args: &ToolArgs) -> Result<ToolArgs, CallFault> {
        let price = match args.text("market") {
            Some(masked) if masked != "all" => self.factors_of(self.market(masked)?).map(|factors| factors.price),
            _ => None,
        };
        let mut real = Map::new();
        for (name, value) in args.all() {
            real.insert(name.clone(), self.argument(tool, name, value, price)?);
        }
        Ok(ToolArgs::of(real))
    }

    fn argument(&self, tool: &str, name: &str, value: &Value, price: Option<f64>) -> Result<Value, CallFault> {
        let text = || value.as_str().unwrap_or_default();
        Ok(match argument_kind(tool, name) {
            ArgumentKind::Plain => value.clone(),
            ArgumentKind::Market if text().is_empty() || text() == "all" => value.clone(),
            ArgumentKind::Market => self.market(text())?.into(),
            ArgumentKind::Markets => match value.as_array() {
                Some(all) => {
                    all.iter().map(|one| self.argument(tool, "market", one, price)).collect::<Result<_, _>>()?
                }
                None => value.clone(),
            },
            ArgumentKind::Holdings => match value.as_array() {
                Some(all) => all.iter().map(|one| self.holding(one)).collect::<Result<_, _>>()?,
                None => value.clone(),
            },
            ArgumentKind::Moment if text().is_empty() => value.clone(),
            ArgumentKind::Moment => {
                let shown = Ts::parse(text()).map_err(|_unread| self.unread(name, text()))?;
                self.real(shown).iso().into()
            }
            ArgumentKind::Price => match (value.as_f64(), price) {
                (Some(shown), Some(factor)) => Value::from(shown / factor),
                _ => return Err(CallFault::new(format!("{name}: it is a price, and no market is named"))),
            },
            ArgumentKind::Id => self.id(text()).into(),
            ArgumentKind::Refused => {
                return Err(CallFault::new(format!(
                    "{name}: it would show what is hidden in this session; leave it out"
                )));
            }
        })
    }

    fn holding(&self, one: &Value) -> Result<Value, CallFault> {
        let mut real = one.clone();
        let symbol = one["symbol"].as_str().unwrap_or_default();
        real["symbol"] = self.market(symbol)?.into();
        Ok(real)
    }

    /// The schema of a tool's arguments without those that would show what is hidden, and without examples of real ones.
    pub(crate) fn schema(&self, tool: &str, mut schema: Value) -> Value {
        for (name, argument) in schema["properties"].as_object_mut().into_iter().flatten() {
            match argument_kind(tool, name) {
                ArgumentKind::Market | ArgumentKind::Markets => argument["description"] = "as in M01".into(),
                ArgumentKind::Moment => argument["description"] = "a moment, written as in answers".into(),
                _ => {}
            }
        }
        if let Some(arguments) = schema["properties"].as_object_mut() {
            arguments.retain(|name, _| argument_kind(tool, name) != ArgumentKind::Refused);
        }
        schema
    }

    /// A refusal in the agent's own terms, without the example of a moment: seen elsewhere, it would show how far all are shifted.
    pub(crate) fn of_own_terms(&self, fault: CallFault) -> CallFault {
        CallFault { sentence: sentences::without_example(&fault.sentence), ..fault }
    }

    /// What is wrong with a moment, without an example: how it is written elsewhere would show how far it is shifted.
    fn unread(&self, name: &str, text: &str) -> CallFault {
        CallFault::new(format!("{name}: '{text}' is not a time; write it as {} is written in answers", AS_OF.name))
    }

    /// Are rows of this tool sorted by their masked names, all of them before the first are left out?
    pub(crate) fn sorts(&self, tool: &str) -> bool {
        must_not_show_order(tool)
    }

    fn factors_of(&self, real: &str) -> Option<&Factors> {
        self.factors.get(self.names.place(real)?)
    }
}

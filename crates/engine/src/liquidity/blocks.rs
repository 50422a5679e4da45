//! Order blocks (features §4.2, R2.10): the bar before a break of structure from which the move began.
//!
//! By default the last bar of the opposite direction between the broken swing and the breaking bar; none there, no block.
//! The rule `extreme` takes the bar that reached furthest the other way, which is the one smart-money-concepts takes.

use super::options::BlockRule;
use super::record::{Face, Record};
use super::structure::StructureBreak;
use crate::features::bars::BuiltBar;
use barograph_domain::LevelType;
use serde::{Deserialize, Serialize};

/// Bars kept for `extreme`, per face: each reaches further than all later ones. A break looks back no further than its
/// swing; beyond this many the oldest is forgotten.
const CANDIDATES_MAX: usize = 1_024;

/// What a block takes of its bar.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Candidate {
    bar: i64,
    high: f64,
    low: f64,
    volume: Option<f64>,
}

impl From<&BuiltBar> for Candidate {
    fn from(b: &BuiltBar) -> Self {
        Self { bar: b.index, high: b.high, low: b.low, volume: b.volume }
    }
}

/// Bars that the next break may take.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Blocks {
    /// Last falling and last rising bar.
    last: [Option<Candidate>; 2],
    /// Falling to the newest: furthest low, furthest high.
    extremes: [Vec<Candidate>; 2],
}

impl Blocks {
    /// The bar that a break takes. Call before the breaking bar is pushed.
    pub(super) fn block(&self, event: &StructureBreak, rule: BlockRule) -> Option<Candidate> {
        // A break upwards leaves a block below.
        let below = usize::from(event.face == Face::Low);
        let after = |c: &Candidate| c.bar > event.swing.bar;
        match rule {
            BlockRule::LastOpposite => self.last[below].filter(after),
            BlockRule::Extreme => {
                let stack = &self.extremes[below];
                stack.get(stack.partition_point(|c| !after(c))).copied()
            }
        }
    }

    #[inline]
    pub(super) fn push(&mut self, bar: &BuiltBar, rule: BlockRule) {
        match rule {
            BlockRule::LastOpposite => {
                if bar.close < bar.open {
                    self.last[0] = Some(bar.into());
                } else if bar.close > bar.open {
                    self.last[1] = Some(bar.into());
                }
            }
            BlockRule::Extreme => self.push_extremes(bar),
        }
    }

    /// The last falling (0) or rising (1) bar, by the rule of the last opposite one.
    pub(super) fn remember(&mut self, way: usize, bar: Candidate) {
        self.last[way] = Some(bar);
    }

    fn push_extremes(&mut self, bar: &BuiltBar) {
        for (stack, face) in self.extremes.iter_mut().zip(Face::BOTH) {
            let reach = |c: &Candidate| if face == Face::Low { -c.low } else { c.high };
            let new = Candidate::from(bar);
            while stack.last().is_some_and(|c| reach(c) <= reach(&new)) {
                stack.pop();
            }
            if stack.len() == CANDIDATES_MAX {
                stack.remove(0);
            }
            stack.push(new);
        }
    }
}

/// A block as a level: its price is the near edge.
pub(super) fn record(event: &StructureBreak, c: &Candidate) -> Record {
    let (kind, near) = match event.face {
        Face::High => (LevelType::BullishOb, c.high),
        Face::Low => (LevelType::BearishOb, c.low),
    };
    Record::zone(kind, near, (c.low, c.high), c.bar, c.volume)
}

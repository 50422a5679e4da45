//! Prices of spot markets as streams of their contracts, as the process goes.

use super::{Core, CoreSink};
use crate::Error;
use barograph_domain::{Event, StreamDecl, StreamIndex, leg};
use barograph_venues::session::Origin;

impl Core {
    /// Contracts whose spot market is listened to as well get its price as a stream of their own.
    pub(super) fn join_legs(&mut self) -> Result<(), Error> {
        for of in &self.instruments {
            let Some(spot) = self.config.spot_pairs.leg(of, &self.instruments) else { continue };
            let own = self.streams.iter().filter(|d| d.instrument == spot.name);
            let Some(from) = leg::priced_by(own) else { continue };
            let place = |decl: &StreamDecl, streams: &[StreamDecl]| streams.iter().position(|d| d == decl);
            let (to, at) = (leg::as_stream(of, from), place(from, &self.streams).unwrap_or_default());
            let joined = place(&to, &self.streams).unwrap_or_else(|| {
                self.streams.push(to);
                self.streams.len() - 1
            });
            let index = |at: usize| u16::try_from(at).map(StreamIndex).map_err(Error::failed);
            self.legs.push((index(at)?, index(joined)?));
        }
        self.legs.sort_unstable();
        self.legs.dedup();
        Ok(())
    }

    /// What a spot market says is said to its contracts, too.
    pub(super) fn repeat(&mut self, event: &Event, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let mut at = self.legs.partition_point(|(from, _)| *from < event.stream);
        while let Some((_, to)) = self.legs.get(at).filter(|(from, _)| *from == event.stream).copied() {
            if let Some(payload) = leg::price(&event.payload) {
                self.step(&Event { stream: to, payload, ..*event }, Origin::Live, sink)?;
            }
            at += 1;
        }
        Ok(())
    }
}

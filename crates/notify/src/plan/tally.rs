//! How often a member of a group came that its receiver does not know of yet.
//!
//! What a message counts is delivered once that message has come to an end. Until then a newer message of the group may take its
//! place, and counts it again.

/// Episodes and moments of one member.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Since the last message of the group that has come to an end.
    times: u32,
    /// Of those: in the group's newest message, as long as that has not come to an end.
    counted: u32,
    /// Id of the alert that was counted last.
    last: Option<String>,
    /// Id of the alert that was the last when the group's newest message was made.
    last_counted: Option<String>,
}

impl Tally {
    /// Nothing is left to deliver; this alert was the last.
    pub(super) fn heard(alert: &str) -> Self {
        Self { last: Some(alert.to_owned()), last_counted: Some(alert.to_owned()), ..Self::default() }
    }
    /// What a message has to count.
    pub(super) const fn times(&self) -> u32 {
        self.times
    }
    /// A record has come: what is of the alert that was counted last is no other time.
    pub(super) fn count(&mut self, alert: &str) {
        if self.last.as_deref() != Some(alert) {
            self.times = self.times.saturating_add(1);
            self.last = Some(alert.to_owned());
        }
    }
    /// A message of the group counts all of it.
    pub(super) fn write(&mut self) {
        self.counted = self.times;
        self.last_counted.clone_from(&self.last);
    }
    /// A message of the group leaves it out.
    pub(super) const fn leave_out(&mut self) {
        self.counted = 0;
    }
    /// The group's newest message has come to an end.
    pub(super) const fn end(&mut self) {
        self.times = self.times.saturating_sub(self.counted);
        self.counted = 0;
    }
    /// What no message has counted goes no further.
    pub(super) fn drop_uncounted(&mut self) {
        self.times = self.counted;
        self.last.clone_from(&self.last_counted);
    }
    /// The group's newest message, made by another process, counts so many.
    pub(super) const fn resume(&mut self, counted: u32) {
        self.times = self.times.saturating_add(counted);
        self.counted = counted;
    }
}

//! How often a member of a group came without its receiver having been told.
//!
//! What a message says is told once that message has come to an end. Until then a newer message of the group may take its place, and
//! says it again.

/// Episodes and moments of one member.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Since the last message of the group that has come to an end.
    times: u32,
    /// Of those: in the group's newest message, as long as that has not come to an end.
    said: u32,
    /// Id of the alert that was counted last.
    last: Option<String>,
    /// Id of the alert that was the last when the group's newest message was made.
    last_said: Option<String>,
}

impl Tally {
    /// Nothing is left to tell; this alert was the last.
    pub(super) fn heard(alert: &str) -> Self {
        Self { last: Some(alert.to_owned()), last_said: Some(alert.to_owned()), ..Self::default() }
    }
    /// What a message has to say.
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
    /// A message of the group says all of it.
    pub(super) fn say(&mut self) {
        self.said = self.times;
        self.last_said.clone_from(&self.last);
    }
    /// A message of the group leaves it out.
    pub(super) const fn leave_out(&mut self) {
        self.said = 0;
    }
    /// The group's newest message has come to an end.
    pub(super) const fn end(&mut self) {
        self.times = self.times.saturating_sub(self.said);
        self.said = 0;
    }
    /// What no message has said goes no further.
    pub(super) fn drop_unsaid(&mut self) {
        self.times = self.said;
        self.last.clone_from(&self.last_said);
    }
    /// The group's newest message, made by another process, says so many.
    pub(super) const fn resume(&mut self, said: u32) {
        self.times = self.times.saturating_add(said);
        self.said = said;
    }
}

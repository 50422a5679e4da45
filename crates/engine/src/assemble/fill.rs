//! From what the catalogue says of a read to straight code: a piece for every feature of one kind, and none for the others.

/// Fills the places of all features of one kind: `fill!(self, kind = group)` from the fields of a group of readings,
/// `fill!(self, kind { reading, … })` from readings by the names that the catalogue gives them.
macro_rules! fill {
    ($self:ident, $kind:ident { $($name:ident $(: $reading:expr)?),* $(,)? }) => {
        macro_rules! reading {
            $(($name) => { fill!(@ $name $($reading)?) };)*
        }
        fill!(($) $self, $kind);
    };
    (@ $name:ident) => { $name };
    (@ $name:ident $reading:expr) => { $reading };
    (($d:tt) $self:ident, $kind:ident) => {
        macro_rules! take {
            ($kind $d feature:ident ($d field:ident) $d among:tt) => {
                $self.slots.set($crate::catalogue::Feature::$d feature, &reading!($d field));
            };
            ($d($d other:tt)*) => {};
        }
        $crate::catalogue::each_feature!(take);
    };
    ($self:ident, $kind:ident = $group:expr) => {
        let group = $group;
        fill!(($) $self, $kind, group);
    };
    (($d:tt) $self:ident, $kind:ident, $group:ident) => {
        macro_rules! take {
            ($kind $d feature:ident ($d($d field:tt)+) $d among:tt) => {
                $self.slots.set($crate::catalogue::Feature::$d feature, &$group.$d($d field)+);
            };
            ($d($d other:tt)*) => {};
        }
        $crate::catalogue::each_feature!(take);
    };
}

/// Calls `put` for every feature of one kind, with where its reading lies in a group of them.
macro_rules! pick_each {
    ($kind:ident, $put:ident) => { pick_each!(($) $kind, $put) };
    (($d:tt) $kind:ident, $put:ident) => {
        macro_rules! take {
            ($kind $d feature:ident ($d($d field:tt)+) $d among:tt) => {
                $put($crate::catalogue::Feature::$d feature, |group| &group.$d($d field)+);
            };
            ($d($d other:tt)*) => {};
        }
        $crate::catalogue::each_feature!(take);
    };
}

pub(super) use {fill, pick_each};

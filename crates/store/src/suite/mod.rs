//! The behaviour of the contract as tests, for every implementation to run, and the sample data they share.
//!
//! An implementation provides a [`Factory`] and writes `barograph_store::suite!(factory())` in a test file. A test that
//! fails panics with what it saw; nothing here knows which database answers.
#![expect(clippy::unwrap_used, reason = "these are tests, kept where every backend finds them")]

pub mod alerts;
pub mod candles;
pub mod cases;
pub mod corrections;
pub mod desk;
pub mod fences;
pub mod forecasts;
pub mod hash;
pub mod ledger;
pub mod levels;
pub mod live;
pub mod model;
pub mod outbox;
pub mod points;
pub mod positions;
pub mod prune;
pub mod reads;
pub mod rows;
pub mod sample;
pub mod signals;
pub mod universe;

use crate::{CaseWriter, OutboxStore, Page, PositionWriter, Range, Reader, Result, SignalStore, Writer, WriterRole};

/// One store, empty at first, that can be opened again and again.
pub trait Site {
    /// Opens it for writing.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn writer(&self, roles: &[WriterRole]) -> Result<Box<dyn Writer>>;
    /// Opens it for registering positions.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn positions(&self) -> Result<Box<dyn PositionWriter>>;
    /// Opens it for bringing signals.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn signals(&self) -> Result<Box<dyn SignalStore>>;
    /// Opens it for cases.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn cases(&self) -> Result<Box<dyn CaseWriter>>;
    /// Opens the outbox in its role.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn outbox(&self) -> Result<Box<dyn OutboxStore>>;
    /// Opens it for reading; there has been a writer before.
    ///
    /// # Errors
    /// Whatever the implementation says.
    fn reader(&self) -> Result<Box<dyn Reader>>;
}

/// Makes empty stores.
pub trait Factory {
    /// A new one.
    fn site(&self) -> Box<dyn Site>;
}

/// Makes a `#[test]` of every function of the suite.
#[macro_export]
macro_rules! suite {
    ($factory:expr) => {
        $crate::suite_of!($factory, points:
            the_same_value_twice_changes_nothing, a_revision_is_a_new_row, equal_times_are_ordered_by_content,
            of_two_times_the_earlier_counts, facts_that_share_a_key_are_all_kept, every_bit_survives,
            events_come_in_the_total_order, revisions_stay_together, events_after_a_moment, a_refused_batch_leaves_nothing,
            pages_join_up, however_a_history_came_in_it_is_the_same, sources_and_cadences_are_distinct);
        $crate::suite_of!($factory, corrections:
            a_later_import_wins_whole, importing_the_right_file_again_heals, what_is_taken_back_counts_no_more,
            facts_are_taken_back_one_by_one, recordings_come_back_at_their_receipt,
            an_import_is_seen_whole_or_not_at_all, a_file_is_taken_back_whole_or_not_at_all, answers_before_a_correction_stay,
            two_corrections_and_one_replacement, rows_are_known_since_the_correction_that_made_them,
            what_counts_no_more_is_not_counted);
        $crate::suite_of!($factory, model: reads_agree_with_a_naive_model);
        $crate::suite_of!($factory, rows:
            rows_come_back_bit_for_bit, a_replacement_keeps_what_is_before, an_unfinished_replacement_leaves_no_trace,
            readers_never_see_half, refused_rows_refuse_the_replacement, stream_numbers_follow_their_streams,
            logic_versions_stay_apart, a_run_is_dirty_until_it_has_seen_its_points,
            points_that_come_in_during_a_run_keep_it_dirty, marks_change_with_rows, a_minute_alone_is_as_among_others,
            checkpoints_are_thinned, columns_cannot_change_half_way);
        $crate::suite_of!($factory, reads:
            latest_and_as_of, history_in_pages_and_thinned, glances_are_parts_of_rows, label_changes_follow_from_rows, gaps_as_of,
            freshness_as_of, imports_are_listed, an_empty_store_answers);
        $crate::suite_of!($factory, candles: candles_are_the_points_of_their_stretch);
        $crate::suite_of!($factory, levels:
            changes_come_back_bit_for_bit_in_pages, levels_are_as_they_were_known_to_be,
            levels_are_replaced_with_their_minutes, published_levels_stay);
        $crate::suite_of!($factory, alerts:
            alerts_come_back_bit_for_bit_in_pages, alerts_can_be_filtered, open_episodes_are_as_they_were_known,
            alerts_are_replaced_with_their_minutes, published_alerts_stay, episodes_end_across_published_minutes,
            ends_are_corrected_and_stay_before,
            alerts_are_found_by_their_id, alerts_are_never_pruned);
        $crate::suite_of!($factory, hash:
            order_of_arrival_does_not_show, neither_do_pieces, every_change_shows, wall_clock_and_checkpoints_do_not);
        $crate::suite_of!($factory, live:
            a_published_run_is_like_any_other, a_repeated_batch_changes_nothing,
            what_is_made_again_is_compared_and_never_written, a_published_minute_never_changes,
            a_replacement_leaves_published_minutes, a_live_row_takes_the_place_of_an_imported_one,
            live_points_read_like_imported_ones, ticks_do_not_show, provenance_is_answered, live_points_make_no_run_dirty,
            a_refused_live_batch_leaves_nothing, published_rows_follow_their_streams, order_books_come_back,
            raw_live_data_are_pruned);
        $crate::suite_of!($factory, fences:
            a_token_only_grows, an_older_owner_writes_nothing, how_far_a_group_is_never_goes_back,
            a_fence_is_no_part_of_the_content, a_groups_writer_writes_its_group_alone, a_group_prunes_its_own_markets,
            groups_and_one_writer_of_all_exclude_each_other);
        $crate::suite_of!($factory, positions:
            positions_come_and_go, notices_stay_and_memory_goes, positions_are_no_part_of_the_content);
        $crate::suite_of!($factory, signals:
            values_are_revised_and_stay_known_as_of, a_refused_batch_of_signals_leaves_nothing, signals_come_in_pages,
            sources_and_scopes_stay_apart, order_of_signals_does_not_show, signals_are_no_part_of_the_content);
        $crate::suite_of!($factory, cases:
            cases_are_filed_once, entries_are_added_and_known_as_they_were, dispositions_are_counted,
            closed_cases_are_found_by_pattern, cases_are_no_content_and_stay);
        $crate::suite_of!($factory, outbox:
            messages_come_with_their_alerts, messages_come_with_their_notices, what_waits_is_found_again, deliveries_end_once,
            members_share_the_end_of_their_group, what_fires_is_known, delivery_is_a_role, the_two_writers_go_on_together);
        $crate::suite_of!($factory, desk:
            deliveries_come_in_pages, the_dead_wait_again, endpoints_are_counted, silences_are_known_as_they_were,
            old_messages_go_once_they_have_ended);
        $crate::suite_of!($factory, universe:
            hours_come_back_bit_for_bit_in_pages, hours_follow_the_minutes_and_published_ones_stay,
            an_unfinished_part_keeps_the_mark, pairs_of_hours_go_with_them, drift_of_ticks_goes_with_them,
            pairs_of_hours_stay_before_a_correction, the_end_of_a_pairs_episode_goes_with_its_hour,
            other_alerts_stay_when_hours_are_replaced, the_calendar_is_appended_and_known_as_of, both_show_in_the_hash_when_there);
        $crate::suite_of!($factory, ledger:
            ticks_come_back_bit_for_bit_in_pages, ticks_follow_the_minutes_and_published_ones_stay,
            a_published_tick_never_changes, ended_hours_and_days_are_packed, reads_agree_with_a_naive_ledger,
            heads_and_states_are_kept_beside_the_ticks, states_of_live_processes_are_kept_by_weeks,
            notes_are_added_and_stay, a_ledger_shows_in_the_hash_when_there);
        $crate::suite_of!($factory, prune:
            old_rows_are_thinned, pruning_again_changes_nothing, points_go_only_when_asked,
            a_thinned_run_can_be_replaced);
    };
}

/// Makes a `#[test]` of some functions of one part of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! suite_of {
    ($factory:expr, $part:ident: $($name:ident),* $(,)?) => {
        mod $part {
            use super::*;
            $(#[test]
            fn $name() {
                $crate::suite::$part::$name(&$factory);
            })*
        }
    };
}

/// Opens in both roles and reads beside it.
pub(crate) fn open(factory: &dyn Factory) -> (Box<dyn Site>, Box<dyn Writer>, Box<dyn Reader>) {
    let site = factory.site();
    let writer = site.writer(&WriterRole::ALL).unwrap();
    let reader = site.reader().unwrap();
    (site, writer, reader)
}

/// What pages say together, each begun where the one before ended.
pub(crate) fn joined<T>(page: impl Fn(Range) -> Page<T>) -> Vec<T> {
    let (mut range, mut all) = (Range::ALL, Vec::new());
    loop {
        let found = page(range);
        all.extend(found.items);
        let Some(next) = found.next else { return all };
        range.start = next;
    }
}

/// The content hash; also sees to it that the store is sound.
pub fn hash(reader: &dyn Reader) -> String {
    let report = reader.check(true).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    report.hash.unwrap().sha256
}

/// Fails unless the answer is a refusal that mentions a word.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T>, word: &str) {
    match answer {
        Err(crate::Error::Invalid(text)) => assert!(text.contains(word), "'{text}' does not mention '{word}'"),
        other => panic!("not refused: {other:?}"),
    }
}

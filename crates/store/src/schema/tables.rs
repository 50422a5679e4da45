//! The tables, but for those of the originals.
//!
//! What stands behind `--` also stands in the schema of a file. Times are nanoseconds since 1970, UTC. Two choices save most of
//! the space: a point whose `known_ts` is its `event_ts` plus its stream's declared delay stores none (so archives need one
//! b-tree, and only what was really received late enters a second one), and minute rows are chunks of an hour. On a server points
//! and order books are partitioned by month of their time, and points have columns for people beside the exact payload.
//!
//! `segments`, `feature_chunks` and `gaps` were others in the first version of a file: `sqlite/schema.rs` makes them of those.

/// Newest version of the schema. What is declared since an earlier one stays as it is.
pub(crate) const VERSION: u8 = 15;

super::declare! {
    instruments [since 1] id instrument {
        name: Word NOT NULL UNIQUE -- "venue:symbol",
        kind: Text NOT NULL,
        expiry: Int,
        points_version: Int NOT NULL -- "counts the writes that changed its points",
    };

    streams [since 1] id stream {
        instrument: Int NOT NULL REFERENCES instruments,
        source: Text NOT NULL,
        metric: Text NOT NULL,
        cadence: Int NOT NULL,
        delay: Int NOT NULL,
        decl: Word NOT NULL UNIQUE -- "the whole declaration, JSON",
        points: Int NOT NULL,
        first_event: Int NOT NULL,
        newest_event: Int NOT NULL,
        newest_known: Int NOT NULL,
        lag_min: Int NOT NULL -- "smallest known_ts - event_ts",
        digest: Int NOT NULL -- "sum of the digests of its points",
    }
    index streams_instrument "(instrument)";

    points [since 1] {
        stream: Int NOT NULL,
        event_ts: Int NOT NULL,
        seq: Int NOT NULL -- "of the venue; 0 where there is none",
        rev: Int NOT NULL -- "a slot, not an order: revisions are ordered by (known_ts, content)",
        known_ts: Int -- "NULL: event_ts + delay of the stream",
        value: Real -- "the one number people ask for",
        payload: Bytes -- "only where the value does not say it all",
        // 0 import, 1 live, 2 backfill; since version 9: 3 taken back, 4 corrected, each known since the moment of it.
        provenance: Int NOT NULL DEFAULT (0) [since 2, 1],
    }
    more {
        open: Real, high: Real, low: Real, volume: Real, quote_volume: Real,
        price: Real, quantity: Real, side: Text, ask: Real,
        interval_h: Real, next_ts: Int,
    }
    key (stream, event_ts, seq, rev)
    servers "PARTITION BY RANGE (event_ts)"
    index points_known "(stream, known_ts) WHERE known_ts IS NOT NULL"
    index points_corrected "(stream, event_ts) WHERE provenance >= 3" [since 9];

    layouts [since 1] -- "what the positions in the rows of a chunk mean" id layout {
        sha256: Bytes NOT NULL UNIQUE,
        body: Text NOT NULL -- "columns and streams, JSON",
    };

    runs [since 1] id run {
        instrument: Word NOT NULL,
        logic_version: Word NOT NULL,
        release: Text NOT NULL,
        book: Text NOT NULL,
        book_text: Text NOT NULL,
        config: Text NOT NULL,
        layout: Int NOT NULL REFERENCES layouts,
        dirty_since: Int -- "earliest known_ts of points its rows do not know yet",
        dirty_version: Int NOT NULL -- "points_version of the last of them",
        live_segment: Int [since 2, 1],
        // Digests of records that nothing else would miss a byte of. NULL: written before there were any.
        digest: Int [since 5],
        corrected_ts: Int [since 9],
    }
    key (instrument, logic_version);

    // What was written in one go. A replacement is written beside the old segment and becomes visible by changing parts.
    segments [since 0, 1] id segment {};

    parts [since 2, 1] -- "which segment shows which minutes of a run; they do not overlap" {
        run: Int NOT NULL,
        from_ts: Int NOT NULL,
        until_ts: Int NOT NULL,
        segment: Int NOT NULL,
        live: Int NOT NULL -- "1: published, never to be replaced",
    }
    key (run, from_ts)
    index parts_segment "(segment, until_ts)";

    feature_chunks [since 0, 1] {
        chunk: Int PRIMARY KEY -- "segment and minute, see chunk_key",
        layout: Int NOT NULL REFERENCES layouts,
        rows: Int NOT NULL,
        first_ts: Int NOT NULL,
        last_ts: Int NOT NULL,
        thinned: Int NOT NULL -- "1: only the 5-minute grid and label changes are left",
        body: Bytes NOT NULL,
    };

    label_changes [since 1] {
        segment: Int NOT NULL,
        ts: Int NOT NULL,
        before: Text,
        after: Text NOT NULL,
    }
    key (segment, ts);

    gaps [since 0, 1] {
        segment: Int NOT NULL,
        row_ts: Int NOT NULL -- "first minute that saw it",
        known_ts: Int NOT NULL,
        decl: Word NOT NULL,
        state: Text NOT NULL,
        from_ts: Int NOT NULL,
        until_ts: Int NOT NULL,
        reason: Text NOT NULL,
    }
    key (segment, row_ts, known_ts, decl, state, from_ts, until_ts, reason);

    checkpoints [since 1] id checkpoint {
        segment: Int NOT NULL,
        ts: Int NOT NULL,
        body: Bytes NOT NULL,
    }
    key (segment, ts);

    imports [since 1] -- "the only wall-clock times" id import {
        started: Int NOT NULL,
        finished: Int NOT NULL,
        release: Text NOT NULL,
        source: Text NOT NULL,
        points_new: Int NOT NULL,
        points_revised: Int NOT NULL,
        points_same: Int NOT NULL,
        points_earlier: Int NOT NULL,
        rejected: Int NOT NULL,
        detail: Text NOT NULL,
    };

    live_points [since 2, 0] -- "points of one instrument from one tick, later from one hour" {
        instrument: Int NOT NULL REFERENCES instruments,
        piece: Int NOT NULL -- "counts up",
        points: Int NOT NULL,
        first_event: Int NOT NULL,
        newest_event: Int NOT NULL,
        first_known: Int NOT NULL,
        newest_known: Int NOT NULL,
        body: Bytes NOT NULL,
    }
    key (instrument, piece)
    index live_points_times "(instrument, first_event, newest_event, first_known, newest_known)" [since 11, 0];

    books [since 2, 1] -- "order books (R3.40)" {
        instrument: Int NOT NULL REFERENCES instruments,
        ts: Int NOT NULL,
        known_ts: Int NOT NULL,
        body: Bytes NOT NULL,
    }
    more {
        bid_prices: Reals NOT NULL,
        bid_quantities: Reals NOT NULL,
        ask_prices: Reals NOT NULL,
        ask_quantities: Reals NOT NULL,
    }
    key (instrument, ts, known_ts)
    servers "PARTITION BY RANGE (ts)";

    // What happened to levels: appended and never changed (features §4.1). A level as of a moment is the last record of it that
    // was known then.
    level_changes [since 3] {
        segment: Int NOT NULL,
        row_ts: Int NOT NULL -- "first minute that knew it",
        step: Int NOT NULL -- "order within the minute",
        known_ts: Int NOT NULL,
        confirmed_ts: Int NOT NULL,
        level: Bytes NOT NULL -- "id",
        body: Bytes NOT NULL -- "what happened and the level after it",
    }
    key (segment, row_ts, step);

    // Positions people have registered (JSON bodies), the memory of the watch, and what was reported about them.
    positions [since 4] {
        id: Word PRIMARY KEY,
        registered_at: Int NOT NULL,
        removed_at: Int -- "NULL: it is there",
        body: Text NOT NULL,
        digest: Int [since 5],
    };

    position_states [since 4] {
        id: Word PRIMARY KEY,
        body: Text NOT NULL,
        digest: Int [since 5],
    };

    position_notices [since 4] {
        notice_id: Word PRIMARY KEY,
        position_id: Word NOT NULL,
        instrument: Word NOT NULL,
        ts: Int NOT NULL,
        body: Text NOT NULL,
        digest: Int [since 5],
    }
    index position_notices_ts "(ts)";

    // Records of alerts: appended and never changed, kept for ever (surveillance §1).
    alerts [since 6] {
        segment: Int NOT NULL,
        row_ts: Int NOT NULL -- "first minute that knew it",
        known_ts: Int NOT NULL,
        alert: Word NOT NULL -- "id of the episode",
        revision: Int NOT NULL -- "counts the records of an episode",
        pattern: Word NOT NULL,
        change: Word NOT NULL,
        severity: Int NOT NULL -- "0 INFO, 1 LOW, 2 MEDIUM, 3 HIGH, 4 CRITICAL",
        opened_ts: Int NOT NULL,
        body: Text NOT NULL -- "the record, JSON",
        digest: Int NOT NULL,
    }
    key (segment, row_ts, known_ts, alert, revision)
    index alerts_episode "(segment, alert)";

    // Rows between markets. Hours that a live process published are never replaced; the others follow from stored minutes, and
    // `universe_state` says from when on they do not.
    universe_rows [since 7] {
        logic_version: Word NOT NULL,
        ts: Int NOT NULL -- "the hour",
        known_ts: Int NOT NULL,
        watch: Text NOT NULL -- "the markets it compares",
        live: Int NOT NULL -- "1: published, never to be replaced",
        body: Bytes NOT NULL -- "JSON, packed, with a checksum",
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (logic_version, ts);

    universe_state [since 7] {
        logic_version: Word PRIMARY KEY,
        watch: Text NOT NULL,
        dirty_since: Int -- "NULL: rows follow from the minutes",
    };

    // What is scheduled: revisions.
    calendar_entries [since 7] {
        id: Word NOT NULL,
        known_ts: Int NOT NULL,
        at: Int NOT NULL,
        impact: Text NOT NULL,
        name: Text NOT NULL,
        source: Text NOT NULL,
        cancelled: Int NOT NULL,
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (id, known_ts);

    // The outbox: what is to be delivered, to whom, what became of it, and what is to be kept quiet.
    messages [since 8] {
        message: Word PRIMARY KEY,
        fingerprint: Word NOT NULL -- "the same for all messages about one thing",
        kind: Word NOT NULL,
        phase: Word NOT NULL,
        instrument: Word NOT NULL -- "empty: several",
        revision: Int NOT NULL,
        known_ts: Int NOT NULL,
        body: Text NOT NULL -- "the notice, JSON",
        digest: Int NOT NULL,
    }
    files "STRICT"
    index messages_known "(known_ts)"
    index messages_thing "(fingerprint, known_ts, revision)"
    index messages_groups "(known_ts) WHERE kind = 'group'";

    deliveries [since 8] {
        message: Word NOT NULL,
        endpoint: Word NOT NULL,
        known_ts: Int NOT NULL -- "of the message",
        state: Word NOT NULL,
        via: Word -- "message of the group it goes with",
        reason: Text NOT NULL,
        deliver_until: Int NOT NULL,
        attempts: Int NOT NULL,
        next_try: Int NOT NULL,
        ended_ts: Int -- "NULL: it waits, or goes with a group",
    }
    key (message, endpoint)
    index deliveries_known "(known_ts, message, endpoint)"
    index deliveries_unfinished "(known_ts) WHERE ended_ts IS NULL"
    index deliveries_via "(via, endpoint) WHERE via IS NOT NULL";

    attempts [since 8] {
        message: Word NOT NULL,
        endpoint: Word NOT NULL,
        at_ts: Int NOT NULL,
        status: Int -- "of HTTP; NULL: no answer",
        latency_ms: Int NOT NULL,
        outcome: Word NOT NULL,
        excerpt: Text NOT NULL,
    }
    key (message, endpoint, at_ts)
    index attempts_at "(at_ts)";

    endpoint_states [since 8] {
        endpoint: Word PRIMARY KEY,
        disabled: Text -- "why nothing is sent any more",
        failing_since: Int,
        learned: Text,
    };

    silences [since 8] {
        silence: Word NOT NULL,
        revision: Int NOT NULL -- "counts from 1; the last that was known counts",
        known_ts: Int NOT NULL,
        ends_ts: Int NOT NULL,
        changed_by: Text NOT NULL,
        body: Text NOT NULL -- "the whole silence, JSON",
        digest: Int NOT NULL,
    }
    key (silence, revision);

    // Runs as they answered before a correction: they go on answering for moments before it, under a number of their own below
    // zero, with parts of their own.
    past_runs [since 9] {
        run: Int PRIMARY KEY,
        instrument: Word NOT NULL,
        logic_version: Word NOT NULL,
        retired_ts: Int NOT NULL,
        release: Text NOT NULL,
        book: Text NOT NULL,
        book_text: Text NOT NULL,
        config: Text NOT NULL,
        layout: Int NOT NULL REFERENCES layouts,
        live_segment: Int,
        digest: Int,
    }
    key (instrument, logic_version, retired_ts);

    axis_changes [since 10] -- "of the axes beside risk, as label_changes" {
        segment: Int NOT NULL,
        ts: Int NOT NULL,
        axis: Word NOT NULL,
        before: Text,
        after: Text NOT NULL,
    }
    key (segment, ts, axis);

    // The forecast ledger: ticks in pieces, none of which reaches over midnight or into another. Published ones are never replaced;
    // the others follow from stored minutes, and `ledger_progress` says from when on they do not. Pieces are too large for a
    // table without row numbers.
    ledger_pieces [since 12] {
        logic_version: Word NOT NULL,
        first_ts: Int NOT NULL,
        last_ts: Int NOT NULL,
        live: Int NOT NULL -- "1: published, never to be replaced",
        body: Bytes NOT NULL -- "ticks in columns, packed, with a checksum",
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (logic_version, first_ts)
    files "STRICT";

    ledger_heads [since 12] -- "of the hash chain of one event over one day" {
        logic_version: Word NOT NULL,
        day: Int NOT NULL,
        event: Word NOT NULL,
        rows: Int NOT NULL,
        head: Bytes NOT NULL -- "SHA-256",
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (logic_version, day, event);

    ledger_states [since 12] -- "the fold before a tick, to go on from" {
        logic_version: Word NOT NULL,
        ts: Int NOT NULL,
        body: Bytes NOT NULL,
    }
    key (logic_version, ts)
    files "STRICT";

    ledger_progress [since 12] {
        logic_version: Word PRIMARY KEY,
        markets: Text NOT NULL,
        dirty_since: Int -- "NULL: ticks follow from the minutes",
    };

    // Outcomes that stand although minutes they rest on were corrected later. Added to, never changed.
    ledger_notes [since 13] {
        logic_version: Word NOT NULL,
        issued_ts: Int NOT NULL,
        event: Word NOT NULL,
        market: Word NOT NULL,
        subject: Word NOT NULL -- "'': none",
        known_ts: Int NOT NULL -- "since when the correction is known",
        resolved_ts: Int NOT NULL,
        stands: Text NOT NULL,
        now: Text NOT NULL -- "what the corrected minutes would make it",
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (logic_version, issued_ts, event, market, subject, known_ts);

    // Values that somebody brought: revisions, none of which is ever changed. What counts as of a moment is the last of its key
    // that was known then.
    signals [since 14] {
        name: Word NOT NULL,
        scope: Word NOT NULL -- "venue:symbol, or *",
        event_ts: Int NOT NULL,
        source: Word NOT NULL,
        known_ts: Int NOT NULL,
        value: Real -- "NULL: taken back",
        tags: Text NOT NULL -- "JSON",
        stated: Int NOT NULL -- "1: known_ts is what somebody stated; 0: when it arrived",
        digest: Int NOT NULL -- "of all the other columns",
    }
    key (name, scope, event_ts, source, known_ts);

    // Cases somebody looks into: the evidence as it was when they were filed, what people wrote, and books and trades around it.
    cases [since 14] {
        case_id: Word PRIMARY KEY,
        filed_at: Int NOT NULL,
        patterns: Word NOT NULL -- "of its alerts, with commas",
        body: Text NOT NULL -- "the evidence, JSON",
        digest: Int NOT NULL,
    };

    case_entries [since 14] {
        case_id: Word NOT NULL,
        seq: Int NOT NULL -- "counts from 1",
        at: Int NOT NULL,
        author: Text NOT NULL,
        kind: Word NOT NULL,
        disposition: Word -- "NULL: it closes nothing",
        note: Text,
        digest: Int NOT NULL,
    }
    key (case_id, seq);

    case_recordings [since 14] {
        case_id: Word NOT NULL,
        alert: Word NOT NULL,
        source: Word NOT NULL -- "journal or store",
        until_ts: Int NOT NULL -- "how far it reaches",
        recorded_at: Int NOT NULL -- "when it was put here",
        body: Text NOT NULL -- "books and trades, JSON",
        digest: Int NOT NULL,
    }
    key (case_id, alert, source, until_ts)
    files "STRICT";
    // Groups of markets that several processes write into one server, each by the right of its token.
    live_groups [since 15] {
        group_id: Int PRIMARY KEY,
        token: Int NOT NULL -- "of the owner; it only grows",
        through_ts: Int -- "what is known until then is published; NULL: nothing yet",
    };
}

//! End to end: the real binary, run as people run it, over files, folders, signals and sockets.
//!
//! Each module is a table of cases and the functions that check them. Every command runs in a home of its own, without the
//! caller's environment; servers take a random loopback port; whatever was started is ended by its own process id. Unix
//! only, because half of it is about signals, pipes and file modes.
//!
//! Most of the time they wait for minutes of the real clock. They begin in the order of their names: `as_typed` has the longest wait
//! and is not the last to begin.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod advice;
mod agents;
mod agents_cut;
mod agents_http;
mod agents_locked;
mod agents_masked;
mod alerts;
mod as_typed;
mod board;
mod calendar;
mod cases;
mod chart;
mod cli;
mod cluster;
mod columns;
mod contest;
mod corrections;
mod correlation;
mod cross_venue;
mod demo;
mod documents;
mod events;
mod export;
mod freshness;
mod kpi;
mod lab;
mod lab_day;
mod lab_hints;
mod lab_killed;
mod lab_money;
mod lab_page;
mod lab_signals;
mod lake;
mod lake_words;
mod ledger;
mod live;
mod models;
mod narrative;
mod objects;
mod onchain;
mod options;
mod originals;
mod paper;
mod patterns;
mod postgres;
mod redis;
mod refusals;
mod replay;
mod scores;
mod serve;
mod sessions;
mod settings;
mod signals;
mod similar;
mod spot;
mod store;
mod support;
mod tiers;
mod truth;
mod universe;
mod upkeep;
mod venues;
mod verdicts;
mod verify;
mod watch;
mod whatif;

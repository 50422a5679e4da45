//! Bounds: the hot path does not allocate, the queue does not grow, everything is counted.

use crate::journal::support::{begin, files, open, open_with};
use barograph_domain::Span;
use barograph_lake::journal::{ControlRecord, JournalConfig};

#[test]
fn a_frame_costs_no_allocation_in_the_steady_state() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let keys = ["a", "b", "c"].map(|c| writer.connection("v", c, 0, begin()).unwrap());
    let frame = vec![b'x'; 900];
    let mut at = begin();
    let mut round = |writer: &mut barograph_lake::journal::JournalWriter| {
        for i in 0..2_000 {
            for key in keys {
                at = at + Span(100);
                writer.frame(key, at, &frame).unwrap();
            }
            // How many buffers are on their way is otherwise a matter of which thread is faster.
            if i % 100 == 0 {
                writer.flush().unwrap().wait().unwrap();
            }
        }
    };
    for _ in 0..3 {
        round(&mut writer);
    }
    let seen = allocation_counter::measure(|| round(&mut writer));
    assert_eq!(seen.count_total, 0, "{seen:?}");
    writer.close().unwrap();
}

#[test]
fn the_queue_is_bounded_and_waiting_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer =
        open_with(JournalConfig { queue_bytes: 10_000, block_bytes: 4_000, ..JournalConfig::new(dir.path()) });
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    let frame = vec![b'x'; 1_000];
    let mut most = 0;
    for i in 1..5_000 {
        writer.frame(key, begin() + Span(i), &frame).unwrap();
        most = most.max(writer.stats().queue_bytes);
    }
    assert!(most <= 10_000, "{most} bytes were waiting");
    let stats = writer.stats();
    assert!(stats.blocked > 0 && stats.blocked_for > Span::ZERO, "{stats:?}");
    // A frame larger than the whole queue passes.
    writer.frame(key, begin() + Span(5_000), &vec![b'y'; 50_000]).unwrap();
    writer.close().unwrap();
}

#[test]
fn what_is_written_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    writer.frame(key, begin() + Span(1), b"0123456789").unwrap();
    writer.control(begin() + Span(2), &ControlRecord::Tick).unwrap();
    assert_eq!(writer.stats().bytes_written, 0);
    writer.flush().unwrap().wait().unwrap();
    let stats = writer.stats();
    let on_disk: u64 = files(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!((stats.frames, stats.records, stats.files_open), (1, 1, 2));
    assert_eq!((stats.bytes_raw, stats.bytes_written), (31 + 39, on_disk));
    assert_eq!((stats.queue_bytes, stats.failed), (0, None));
    writer.close().unwrap();
}

#[test]
fn lines_reach_the_disk_by_time_and_files_of_past_hours_are_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    let size = || files(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum::<u64>();
    let wait_for = |what: &dyn Fn() -> bool| {
        for _ in 0..2_000 {
            if what() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("it never came");
    };
    writer.frame(key, begin() + Span(1), b"x").unwrap();
    assert_eq!(size(), 0);
    writer.poll(begin() + Span::millis(999)).unwrap();
    assert_eq!(writer.stats().queue_bytes, 0);
    writer.poll(begin() + Span::millis(1_001)).unwrap();
    wait_for(&|| size() > 0);
    assert_eq!(writer.stats().files_open, 1);
    writer.poll(begin() + Span::secs(11)).unwrap();
    wait_for(&|| writer.stats().files_open == 0);
    writer.close().unwrap();
}

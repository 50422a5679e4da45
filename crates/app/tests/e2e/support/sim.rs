//! The built-in venue server as a process of its own, on a port it chooses.

use super::Place;
use super::process::Running;

pub(crate) struct Sim {
    /// Killed when dropped.
    process: Running,
    /// What `--endpoint` takes.
    pub(crate) endpoint: String,
}

impl Sim {
    /// Three markets, busy enough that each stream speaks within seconds.
    pub(crate) fn start(place: &Place) -> Self {
        Self::of(place, 3)
    }

    /// As many markets.
    pub(crate) fn of(place: &Place, markets: usize) -> Self {
        Self::with(place, &format!("--markets {markets} --messages-per-s {}", 100 * markets))
    }

    /// A market that falls, as a collector of 2023 wrote it down, receive times in microseconds: for three minutes a mark and
    /// a trade each second, and every two seconds a long that is closed by force, 112,000 quote units each.
    pub(crate) fn falling(place: &Place) -> Self {
        let mut lines = String::new();
        for n in 0..180_i64 {
            let ms = 1_680_674_828_000 + n * 1_000;
            let settles = 1_680_681_600_000_i64;
            let mut add = |after: i64, stream: &str, data: &str| {
                let recv_us = (ms + after) * 1_000;
                lines.push_str(&format!("{recv_us} {{\"stream\":\"btcusdt@{stream}\",\"data\":{data}}}\n"));
            };
            let mark = format!(
                r#"{{"e":"markPriceUpdate","E":{ms},"s":"BTCUSDT","p":"28000.00","P":"28000.00","i":"28001.00","r":"0.00010000","T":{settles}}}"#
            );
            let trade = format!(
                r#"{{"e":"aggTrade","E":{ms},"a":{n},"s":"BTCUSDT","p":"28000.10","q":"0.010","f":{n},"l":{n},"T":{ms},"m":true}}"#
            );
            let forced = format!(
                r#"{{"e":"forceOrder","E":{ms},"o":{{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"4.000","p":"27990.00","ap":"28000.00","X":"FILLED","l":"4.000","z":"4.000","T":{ms}}}}}"#
            );
            add(40, "markPrice@1s", &mark);
            add(45, "aggTrade", &trade);
            if n % 2 == 0 {
                add(50, "forceOrder", &forced);
            }
        }
        place.write("capture.txt", &lines);
        Self::with(place, "--recording capture.txt --symbol btcusdt")
    }

    /// Whatever its flags say.
    pub(crate) fn with(place: &Place, flags: &str) -> Self {
        let mut process = place.start(&format!("sim --port 0 {flags}"));
        let line = process.out.wait_for("--endpoint ");
        let endpoint = line.split_whitespace().last().unwrap().to_owned();
        Self { process, endpoint }
    }

    /// Ends it; its address answers no more.
    pub(crate) fn stop(mut self) -> String {
        assert!(self.process.kill(), "it had ended: {}", self.process.err.text());
        self.endpoint.clone()
    }
}
